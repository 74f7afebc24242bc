import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '../lib/errors.ts';
import { openJournal } from './journal.ts';
import type { JournalRecord } from './records.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-journal-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const received: JournalRecord = {
  type: 'received',
  jobId: 7,
  jobToken: 'secret',
  plan: null,
  origin: {
    url: 'http://localhost/',
    runnerToken: 't',
    runnerName: 'r',
    executor: 'shell',
    tls: { caFile: '', certFile: '', keyFile: '' },
  },
};

/** A manager in another process that holds one job and then hangs until it is killed. */
async function otherManager(): Promise<{ readonly kill: () => Promise<void> }> {
  const script = `
    const { openJournal } = await import(${JSON.stringify(new URL('./journal.ts', import.meta.url).href)});
    const journal = await openJournal(${JSON.stringify(folder)});
    journal.create(${JSON.stringify(received)}).append({ type: 'acknowledged' });
    process.stdout.write('ready');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the other manager ended')));
  });
  return {
    kill: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

describe('journal', () => {
  test('keeps a job private and complete from its first moment', async () => {
    const journal = await openJournal(folder);
    const job = journal.create(received);
    expect(readdirSync(join(folder, 'jobs'))).toHaveLength(1);
    expect(statSync(job.folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(job.folder, 'records')).mode & 0o777).toBe(0o600);
    expect(job.records).toEqual([received]);
    await job.remove();
    expect(readdirSync(join(folder, 'jobs'))).toEqual([]);
    await journal.close();
  });

  test('leaves the jobs of a living manager alone and adopts those of a killed one', async () => {
    const other = await otherManager();
    const journal = await openJournal(folder);
    expect((await journal.adoptOrphans()).jobs).toEqual([]);
    await other.kill();
    const [job, ...rest] = (await journal.adoptOrphans()).jobs;
    expect(rest).toEqual([]);
    expect(job?.records).toEqual([received, { type: 'acknowledged' }]);
    await journal.close();
  });

  test('of several managers one adopts an orphan', async () => {
    const other = await otherManager();
    await other.kill();
    const journals = await Promise.all([1, 2, 3, 4].map(() => openJournal(folder)));
    const adoptions = await Promise.all(journals.map((journal) => journal.adoptOrphans()));
    expect(adoptions.flatMap((adoption) => adoption.jobs)).toHaveLength(1);
    await Promise.all(journals.map((journal) => journal.close()));
  });

  test('ignores a torn last record and writes on behind the last whole one', async () => {
    const first = await openJournal(folder);
    const job = first.create(received);
    job.append({ type: 'acknowledged' });
    job.close();
    appendFileSync(join(job.folder, 'records'), '{"type":"clockSta');
    await first.close();
    const second = await openJournal(folder);
    const [adopted] = (await second.adoptOrphans()).jobs;
    expect(adopted?.records).toEqual([received, { type: 'acknowledged' }]);
    adopted?.append({ type: 'clockStarted', atMs: 5 });
    adopted?.close();
    await second.close();
    const third = await openJournal(folder);
    const [again] = (await third.adoptOrphans()).jobs;
    expect(again?.records.at(-1)).toEqual({ type: 'clockStarted', atMs: 5 });
    await third.close();
  });

  test('reports a damaged journal and adopts the others', async () => {
    const first = await openJournal(folder);
    const damaged = first.create(received);
    damaged.close();
    first.create(received).close();
    appendFileSync(join(damaged.folder, 'records'), 'not json\n{"type":"acknowledged"}\n');
    await first.close();
    const second = await openJournal(folder);
    const { jobs, problems } = await second.adoptOrphans();
    expect(jobs).toHaveLength(1);
    expect(problems[0]).toBeInstanceOf(StorageError);
    await second.close();
  });

  test('works below a path longer than a socket address', async () => {
    const long = join(folder, 'x'.repeat(120));
    const first = await openJournal(long);
    first.create(received).close();
    const second = await openJournal(long);
    expect((await second.adoptOrphans()).jobs).toEqual([]);
    await first.close();
    expect((await second.adoptOrphans()).jobs).toHaveLength(1);
    await second.close();
  });

  test('says why no job can be taken', async () => {
    const journal = await openJournal(folder);
    expect(journal.problem()).toBeUndefined();
    rmSync(folder, { recursive: true });
    expect(journal.problem()).toMatch(/cannot be written/);
    await journal.close();
  });
});
