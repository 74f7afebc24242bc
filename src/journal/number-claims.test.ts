import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BuildPlan } from '../plan/build-plan.ts';
import { openJournal } from './journal.ts';
import type { JournalRecord } from './records.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-numbers-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function received(concurrentId: number, concurrentProjectId: number): JournalRecord {
  const plan = { names: { concurrentId, concurrentProjectId }, job: { projectId: 3 } };
  return {
    type: 'received',
    jobId: 7,
    jobToken: 'secret',
    plan: plan as BuildPlan,
    origin: {
      url: 'http://localhost/',
      runnerToken: 'token',
      runnerName: 'r',
      executor: 'shell',
      tls: { caFile: '', certFile: '', keyFile: '' },
    },
  };
}

test('a number belongs to one manager until that one gives it back', async () => {
  const [one, two] = [await openJournal(folder), await openJournal(folder)];
  expect(one.numbers.claim('token', undefined, 0)).toBe(true);
  expect(two.numbers.claim('token', undefined, 0)).toBe(false);
  expect(two.numbers.claim('token', 3, 0)).toBe(true);
  expect(two.numbers.claim('other token', undefined, 0)).toBe(true);
  two.numbers.release('token', undefined, 0);
  expect(two.numbers.claim('token', undefined, 0)).toBe(false);
  one.numbers.release('token', undefined, 0);
  expect(two.numbers.claim('token', undefined, 0)).toBe(true);
  await Promise.all([one.close(), two.close()]);
});

test('the numbers of an orphan stay taken, and go to the manager that adopts it', async () => {
  const dead = await openJournal(folder);
  dead.numbers.claim('token', undefined, 4);
  dead.numbers.claim('token', 3, 2);
  dead.create(received(4, 2)).close();
  await dead.close();
  const [adopter, other] = [await openJournal(folder), await openJournal(folder)];
  expect((await adopter.adoptOrphans()).jobs).toHaveLength(1);
  expect((await other.adoptOrphans()).jobs).toHaveLength(0);
  expect([other.numbers.claim('token', undefined, 4), other.numbers.claim('token', 3, 2)]).toEqual([false, false]);
  adopter.numbers.release('token', undefined, 4);
  adopter.numbers.release('token', 3, 2);
  expect([other.numbers.claim('token', undefined, 4), other.numbers.claim('token', 3, 2)]).toEqual([true, true]);
  await Promise.all([adopter.close(), other.close()]);
});

test('an orphan whose numbers were never written down gets them', async () => {
  const dead = await openJournal(folder);
  dead.create(received(1, 1)).close();
  await dead.close();
  const adopter = await openJournal(folder);
  await adopter.adoptOrphans();
  expect(adopter.numbers.claim('token', 3, 1)).toBe(false);
  await adopter.close();
});

test('numbers that a killed manager took for no job become free', async () => {
  const living = await openJournal(folder);
  living.numbers.claim('token', undefined, 1);
  symlinkSync('dead', join(folder, 'numbers', 'stale.0'));
  const other = await openJournal(folder);
  await other.adoptOrphans();
  expect(readdirSync(join(folder, 'numbers'))).toHaveLength(1);
  expect(other.numbers.claim('token', undefined, 1)).toBe(false);
  await Promise.all([living.close(), other.close()]);
});
