import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '../lib/errors.ts';
import { openJobJournal } from './job-journal.ts';
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

  test('takes away what a killed manager was making or removing, not what a living one is', async () => {
    const jobs = join(folder, 'jobs');
    const journal = await openJournal(folder);
    const [living] = readdirSync(join(folder, 'locks'));
    const unfinished = ['.new-dead.7-1', '.gone-dead.7-2', `.new-${living}.7-3`, `.gone-${living}.7-4`];
    for (const name of unfinished) mkdirSync(join(jobs, name));
    const other = await openJournal(folder);
    expect(await other.adoptOrphans()).toEqual({ jobs: [], problems: [] });
    expect(readdirSync(jobs).sort()).toEqual(unfinished.slice(2).sort());
    await Promise.all([journal.close(), other.close()]);
  });

  test('a job that is being removed is no job any more', async () => {
    const journal = await openJournal(folder);
    const job = journal.create(received);
    const removing = job.remove();
    expect(readdirSync(join(folder, 'jobs')).filter((name) => !name.startsWith('.gone-'))).toEqual([]);
    await removing;
    await job.remove();
    await journal.close();
  });

  test('a record that was torn at any byte leaves those before it', async () => {
    const first = await openJournal(folder);
    const job = first.create(received);
    const records: JournalRecord[] = [
      { type: 'acknowledged' },
      { type: 'stopped', scope: 'job', reason: 'aborted', message: 'a "message", \n with\u001e ünïcode ✓' },
    ];
    for (const record of records) job.append(record);
    job.close();
    await first.close();
    const path = join(job.folder, 'records');
    const whole = readFileSync(path);
    const before = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (let size = before; size < whole.length; size += 1) {
      writeFileSync(path, whole.subarray(0, size));
      const opened = openJobJournal(job.folder);
      expect(opened.records).toEqual([received, records[0]]);
      opened.append({ type: 'clockStarted', atMs: size });
      opened.close();
      const again = openJobJournal(job.folder);
      expect(again.records).toEqual([received, records[0], { type: 'clockStarted', atMs: size }]);
      again.close();
    }
    writeFileSync(path, whole);
    const complete = openJobJournal(job.folder);
    expect(complete.records).toEqual([received, ...records]);
    complete.close();
  });

  test('says why no job can be taken', async () => {
    const journal = await openJournal(folder);
    expect(journal.problem()).toBeUndefined();
    rmSync(folder, { recursive: true });
    expect(journal.problem()).toMatch(/cannot be written/);
    await journal.close();
  });
});
