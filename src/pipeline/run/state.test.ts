import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chooseJobs, playedInVain } from './choose-jobs.ts';
import { stateFolderOf } from './state-folder.ts';
import { takeAbandonedSlots, takeSlot } from './state-slots.ts';

const noPause = async (): Promise<void> => {};

test('slots: the first free one; a lock file whose holder is gone does not count', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const first = await takeSlot(folder, noPause);
  const second = await takeSlot(folder, noPause);
  expect([first.number, second.number]).toEqual([0, 1]);
  await first.release();
  writeFileSync(join(folder, 'slot-0', 'locks', 'stale'), '');
  const again = await takeSlot(folder, noPause);
  expect(again.number).toBe(0);
  const seen: number[] = [];
  for await (const slot of takeAbandonedSlots(folder, again)) seen.push(slot.number);
  expect(seen).toEqual([]);
  await second.release();
  for await (const slot of takeAbandonedSlots(folder, again)) {
    seen.push(slot.number);
    await slot.release();
  }
  expect(seen).toEqual([1]);
  await again.release();
});

test('many at once never share a slot', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const slots = await Promise.all(Array.from({ length: 12 }, async () => await takeSlot(folder, noPause)));
  expect(new Set(slots.map((slot) => slot.number)).size).toBe(12);
  for (const slot of slots) await slot.release();
});

test('where state lies', () => {
  const place = { stateDir: undefined, env: {}, home: '/home/ann', operatingSystem: 'linux' };
  expect(stateFolderOf('/src/my app', place)).toMatch(/^\/home\/ann\/\.local\/state\/millrace\/my_app-[0-9a-f]{12}$/);
  expect(stateFolderOf('/src/app', { ...place, env: { XDG_STATE_HOME: '/state' } })).toMatch(
    /^\/state\/millrace\/app-/,
  );
  expect(stateFolderOf('/src/app', { ...place, env: { XDG_STATE_HOME: 'relative' } })).toMatch(/^\/home\/ann\//);
  expect(stateFolderOf('/src/app', { ...place, stateDir: '/mine' })).toMatch(/^\/mine\/app-/);
  expect(() => stateFolderOf('/src/app', { ...place, home: '' })).toThrow('no home folder');
});

test('jobs are chosen by name and by group; a named manual job is played', () => {
  const job = (name: string, when: string) => ({ name, when });
  const submission = { jobs: [job('test 1/2', 'on_success'), job('test 2/2', 'on_success'), job('deploy', 'manual')] };
  const choose = (only: string[], play: string[] = []) => {
    const chosen = chooseJobs(submission as never, { only, withNeeds: only.length > 0, play });
    return [chosen.only_jobs, chosen.play];
  };
  expect(choose(['test'])).toEqual([['test 1/2', 'test 2/2'], []]);
  expect(choose(['deploy', 'test 2/2'])).toEqual([['deploy', 'test 2/2'], ['deploy']]);
  expect(choose([], ['deploy'])).toEqual([[], ['deploy']]);
  expect(choose(['test 2/2'], ['deploy'])).toEqual([['test 2/2', 'deploy'], ['deploy']]);
  expect(() => choose(['nope'])).toThrow('there is no job "nope"');
  const leftOut = new Map([['release', 'no rule matches']]);
  expect(() => chooseJobs(submission as never, { only: ['release'], withNeeds: false, play: [], leftOut })).toThrow(
    'the job "release" is left out of this pipeline: no rule matches',
  );
  expect(() => chooseJobs(submission as never, { only: [], withNeeds: true, play: [] })).toThrow('--needs goes with');
  expect(playedInVain(submission as never, ['deploy', 'test'])).toEqual(['test']);
});
