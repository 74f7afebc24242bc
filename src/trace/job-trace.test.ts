import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StorageError } from '../lib/errors.ts';
import { createJobTrace, type JobTraceOptions, restoreJobTrace } from './job-trace.ts';
import { overLimitNotice } from './line-forms.ts';
import { boundaryMark } from './order/boundary-mark.ts';
import type { JobTrace, StageTrace, TraceSnapshot } from './port.ts';
import { ManualClock } from './testing/manual-clock.ts';

const T = '2026-01-02T03:04:05.123000Z';
const MARK = 'm4rk';
const mark = (sequence: number): string => boundaryMark(MARK, sequence, 'both');

let folder: string;
let clock: ManualClock;
let storageErrors: StorageError[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'job-trace-'));
  clock = new ManualClock();
  storageErrors = [];
});
afterEach(() => rm(folder, { recursive: true }));

function optionsOf(changes: Partial<JobTraceOptions> = {}): JobTraceOptions {
  return {
    path: join(folder, 'trace'),
    masking: { phrases: ['s3cret', 'line 1\nline 2'], tokenPrefixes: ['glpat-'] },
    sections: true,
    timestamps: false,
    outputLimitBytes: 0,
    outputMark: MARK,
    clock,
    onStorageError: (error) => storageErrors.push(error),
    ...changes,
  };
}

/** The whole content, by way of the file's end. */
async function contentOf(trace: JobTrace): Promise<string> {
  trace.end();
  const bytes = Buffer.from(await trace.read(0, trace.storedBytes));
  expect(trace.checksum).toBe(`crc32:${crc32(bytes).toString(16).padStart(8, '0')}`);
  await trace.close();
  return bytes.toString();
}

function throughJson(snapshot: TraceSnapshot): TraceSnapshot {
  return JSON.parse(JSON.stringify(snapshot)) as TraceSnapshot;
}

describe('JobTrace', () => {
  it('looks like the log of a job', async () => {
    const trace = await createJobTrace(optionsOf());
    trace.log.print('Running with millrace');
    trace.startSection('step_script', 'Executing "step_script" stage of the job script');
    const stage = trace.openStage();
    await stage.write('stdout', Buffer.from(`$ echo s3cret\n${mark(1)}s3cret\n`));
    await stage.write('stderr', Buffer.from(`glpat-abc ?private_token=x\n${mark(1)}`));
    stage.close();
    trace.endSection('step_script');
    trace.log.warning('a s3cret');
    trace.log.raw('raw\n');
    trace.log.info('Job succeeded');
    trace.log.error('Job failed: exit code 1');
    expect(await contentOf(trace)).toBe(
      [
        '\x1b[0KRunning with millrace\x1b[0;m\n',
        'section_start:1767323045:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting "step_script" stage of the job script\x1b[0;m\x1b[0;m\n',
        '$ echo [MASKED]\n',
        'glpat-[MASKED] ?private_token=[MASKED]\n',
        '[MASKED]\n',
        'section_end:1767323045:step_script\r\x1b[0K',
        '\x1b[0;33mWARNING: a [MASKED]\x1b[0;m\n',
        'raw\n',
        '\x1b[32;1mJob succeeded\x1b[0;m\n',
        '\x1b[31;1mERROR: Job failed: exit code 1\x1b[0;m\n',
      ].join(''),
    );
  });

  it('gives each line a header, section marks lines of their own, and ends an unfinished line', async () => {
    const trace = await createJobTrace(optionsOf({ timestamps: true }));
    trace.startSection('a', 'Title');
    const stage = trace.openStage();
    await stage.write('stdout', Buffer.from('one\ntwo'));
    await stage.write('stderr', Buffer.from('oops\n'));
    stage.close();
    trace.endSection('a');
    trace.log.print('end');
    expect(await contentOf(trace)).toBe(
      [
        `${T} 00O section_start:1767323045:a\r\x1b[0K\n`,
        `${T} 00O+\x1b[0K\x1b[36;1mTitle\x1b[0;m\x1b[0;m\n`,
        `${T} 01O one\n`,
        `${T} 01E oops\n`,
        `${T} 01O two\n`,
        `${T} 00O section_end:1767323045:a\r\x1b[0K\n`,
        `${T} 00O+\x1b[0Kend\x1b[0;m\n`,
      ].join(''),
    );
  });

  it('writes no section marks for a server that does not know them', async () => {
    const trace = await createJobTrace(optionsOf({ sections: false }));
    trace.startSection('a', 'Title');
    trace.endSection('a');
    expect(await contentOf(trace)).toBe('\x1b[0K\x1b[36;1mTitle\x1b[0;m\x1b[0;m\n');
  });

  it('keeps the streams apart: a secret split over both is two texts, a split character is whole', async () => {
    const trace = await createJobTrace(optionsOf());
    const stage = trace.openStage();
    const smile = Buffer.from('😀');
    await stage.write('stdout', smile.subarray(0, 2));
    await stage.write('stderr', Buffer.from('-'));
    await stage.write('stdout', smile.subarray(2));
    await stage.write('stdout', Buffer.from([0xff]));
    stage.close();
    expect(await contentOf(trace)).toBe('-😀\u{fffd}');
  });

  it('opens one stage at a time, and takes nothing after its end', async () => {
    const trace = await createJobTrace(optionsOf());
    const stage = trace.openStage();
    expect(() => trace.openStage()).toThrow('open already');
    stage.close();
    stage.close();
    await stage.write('stdout', Buffer.from('late'));
    trace.end();
    trace.end();
    trace.log.print('later');
    const late = trace.openStage();
    await late.write('stdout', Buffer.from('latest'));
    trace.openStage().close();
    expect(await contentOf(trace)).toBe('');
    expect(trace.checksum).toBe('crc32:00000000');
  });

  it('cuts at the limit and drops everything later, cheaply', async () => {
    const trace = await createJobTrace(optionsOf({ outputLimitBytes: 10 }));
    const stage = trace.openStage();
    await stage.write('stdout', Buffer.from('This is the long message'));
    for (let count = 0; count < 1000; count++) {
      expect(stage.write('stdout', Buffer.alloc(1024 * 1024))).toBeUndefined();
    }
    stage.close();
    trace.log.info('Job succeeded');
    const snapshot = throughJson(trace.snapshot());
    expect(await contentOf(trace)).toBe(`This is th${overLimitNotice(10)}`);
    const restored = await restoreJobTrace(optionsOf({ outputLimitBytes: 10 }), snapshot);
    restored.log.info('once');
    restored.log.info('twice');
    expect(await contentOf(restored)).toBe(`This is th${overLimitNotice(10)}`);
  });

  it('asks to wait after much output in one turn, and keeps the order of all of it', async () => {
    const trace = await createJobTrace(optionsOf({ outputLimitBytes: 8 * 1024 * 1024, outputMark: '' }));
    const stage = trace.openStage();
    const big = Buffer.alloc(1024 * 1024, 'a');
    const first = stage.write('stdout', big);
    const second = stage.write('stderr', Buffer.from('b'));
    expect(first).toBeInstanceOf(Promise);
    expect(second).toBeInstanceOf(Promise);
    await Promise.all([first, second]);
    expect(stage.write('stdout', Buffer.from('c'))).toBeUndefined();
    stage.close();
    expect(await contentOf(trace)).toBe(`${'a'.repeat(big.length)}bc`);
  });

  it('has everything that was given in its snapshot and before later lines, also what is asked to wait', async () => {
    const trace = await createJobTrace(optionsOf({ outputLimitBytes: 8 * 1024 * 1024, outputMark: '' }));
    const stage = trace.openStage();
    const waiting = stage.write('stdout', Buffer.alloc(1024 * 1024, 'a'));
    expect(trace.snapshot().storedBytes).toBe(1024 * 1024);
    await waiting;
    const again = stage.write('stdout', Buffer.alloc(1024 * 1024, 'b'));
    trace.log.print('line');
    await again;
    stage.close();
    expect(await contentOf(trace)).toMatch(/^a+b+\x1b\[0Kline\x1b\[0;m\n$/);
  });

  it('does not wait for good for a stream that was redirected away', async () => {
    const trace = await createJobTrace(optionsOf());
    const stage = trace.openStage();
    await stage.write('stdout', Buffer.from(`a${mark(1)}b`));
    expect(trace.snapshot().storedBytes).toBe(1);
    expect(await clock.wakeNext()).toBe(2000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(trace.snapshot().storedBytes).toBe(2);
    await stage.write('stdout', Buffer.from(`${mark(2)}c`));
    expect(trace.snapshot().storedBytes).toBe(3);
    stage.close();
    expect(clock.sleepers).toBe(0);
    expect(await contentOf(trace)).toBe('abc');
  });

  it('reports a full disk once, and goes on with a few lines of the manager in memory', async () => {
    const trace = await createJobTrace(optionsOf({ path: '/dev/full' }));
    trace.log.print('one');
    expect(trace.snapshot().storedBytes).toBe(0);
    trace.log.print('two');
    const stage = trace.openStage();
    expect(stage.write('stdout', Buffer.alloc(1024 * 1024))).toBeUndefined();
    stage.close();
    expect(trace.snapshot().storedBytes).toBe(0);
    expect(storageErrors).toMatchObject([{ code: 'storage', hint: 'The disk is full: free space on it.' }]);
    expect(await contentOf(trace)).toBe('\x1b[0Kone\x1b[0;m\n\x1b[0Ktwo\x1b[0;m\n');
  });

  it('keeps no flood in memory when the disk is full', async () => {
    const trace = await createJobTrace(optionsOf({ path: '/dev/full' }));
    trace.log.print('first');
    trace.snapshot();
    for (let line = 0; line < 1000; line += 1) trace.log.print('x'.repeat(100));
    expect(trace.storedBytes).toBeLessThanOrEqual(16 * 1024);
    expect(await contentOf(trace)).toMatch(/^\x1b\[0Kfirst/);
  });

  it('stores within the turn of the event loop without being asked', async () => {
    const trace = await createJobTrace(optionsOf());
    trace.log.raw('x');
    expect(trace.storedBytes).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(trace.storedBytes).toBe(1);
    await trace.close();
  });
});

/** What a job engine does, with stage output cut in two at a position. */
function runJob(trace: JobTrace, from: number, to: number, position: number): void {
  const output = Buffer.from(
    `$ one\n${mark(1)}a s3cret glpat-abc größe?rss_token=x\nline 1\nline 2\r50%\rdone${mark(2)}$ two\n${mark(3)}last`,
  );
  const errors = Buffer.from(`warn s3cr${mark(1)}et\nline 1\n${mark(2)}${mark(3)}late`);
  let stage: StageTrace | undefined;
  const steps = [
    () => trace.log.print('Running'),
    () => trace.startSection('step_script', 'Title'),
    () => {
      stage = trace.openStage();
    },
    () => void stage?.write('stdout', output.subarray(0, position)),
    () => void stage?.write('stderr', errors.subarray(0, position)),
    () => void stage?.write('stdout', output.subarray(position)),
    () => void stage?.write('stderr', errors.subarray(position)),
    () => stage?.close(),
    () => trace.endSection('step_script'),
    () => trace.log.info('Job succeeded'),
  ];
  const isReplayed = (index: number): boolean => index < from && [0, 1, 2].includes(index);
  for (const [index, step] of steps.entries()) {
    if (index < to && (index >= from || isReplayed(index))) step();
  }
}

describe('a restored trace', () => {
  it.each([false, true])('equals one that was never interrupted, cut anywhere (timestamps %s)', async (timestamps) => {
    const options = optionsOf({ timestamps });
    for (let position = 0; position <= 120; position++) {
      const whole = await createJobTrace(optionsOf({ timestamps, path: join(folder, 'whole') }));
      runJob(whole, 0, 10, position);
      const expected = await contentOf(whole);
      for (const interruptedAt of [3, 4, 5, 6]) {
        const first = await createJobTrace(options);
        runJob(first, 0, interruptedAt, position);
        const snapshot = throughJson(first.snapshot());
        first.log.print('lost');
        await first.close();
        const second = await restoreJobTrace(options, snapshot);
        runJob(second, interruptedAt, 10, position);
        expect(await contentOf(second)).toBe(expected);
      }
    }
  });

  it('ignores the manager writes that it holds already, counts on, and cuts the file', async () => {
    const first = await createJobTrace(optionsOf());
    first.log.print('one');
    first.startSection('a', 'Two');
    const snapshot = throughJson(first.snapshot());
    expect(snapshot.managerWrites).toBe(2);
    first.endSection('a');
    await first.close();
    const second = await restoreJobTrace(optionsOf(), snapshot);
    expect(second.storedBytes).toBe(snapshot.storedBytes);
    second.log.print('one');
    expect(second.snapshot()).toEqual(snapshot);
    clock.pass(60_000);
    second.startSection('a', 'Two');
    second.log.print('three');
    expect(second.snapshot().managerWrites).toBe(3);
    expect(await contentOf(second)).toBe(
      '\x1b[0Kone\x1b[0;m\nsection_start:1767323045:a\r\x1b[0K\x1b[0K\x1b[36;1mTwo\x1b[0;m\x1b[0;m\n\x1b[0Kthree\x1b[0;m\n',
    );
  });

  it('can be told where in its writes a replay goes on', async () => {
    const first = await createJobTrace(optionsOf());
    for (const text of ['1\n', '2\n', '3\n']) first.log.raw(text);
    first.skipReplayedWrites(100);
    first.log.raw('4\n');
    const snapshot = throughJson(first.snapshot());
    await first.close();
    const second = await restoreJobTrace(optionsOf(), snapshot);
    second.log.raw('1\n');
    second.skipReplayedWrites(3);
    second.log.raw('4\n');
    second.log.raw('5\n');
    expect(second.snapshot().managerWrites).toBe(5);
    expect(await contentOf(second)).toBe('1\n2\n3\n4\n5\n');
  });

  it('goes on with an open stage once', async () => {
    const first = await createJobTrace(optionsOf());
    await first.openStage().write('stdout', Buffer.from('a s3c'));
    const snapshot = throughJson(first.snapshot());
    await first.close();
    const second = await restoreJobTrace(optionsOf(), snapshot);
    const stage = second.openStage();
    expect(() => second.openStage()).toThrow('open already');
    await stage.write('stdout', Buffer.from('ret'));
    stage.close();
    const next = second.openStage();
    await next.write('stdout', Buffer.from(' next'));
    next.close();
    expect(await contentOf(second)).toBe('a [MASKED] next');
  });

  it('stays ended', async () => {
    const first = await createJobTrace(optionsOf());
    first.log.print('one');
    first.end();
    const snapshot = throughJson(first.snapshot());
    await first.close();
    const second = await restoreJobTrace(optionsOf(), snapshot);
    second.log.print('one');
    second.log.print('two');
    expect(await contentOf(second)).toBe('\x1b[0Kone\x1b[0;m\n');
  });

  it('says clearly what is wrong with its file or record', async () => {
    const first = await createJobTrace(optionsOf());
    first.log.print('one');
    const snapshot = first.snapshot();
    await first.close();
    await expect(restoreJobTrace(optionsOf(), { ...snapshot, layers: {} })).rejects.toMatchObject({ code: 'storage' });
    await writeFile(join(folder, 'trace'), '');
    await expect(restoreJobTrace(optionsOf(), snapshot)).rejects.toMatchObject({ code: 'storage' });
    expect(await readFile(join(folder, 'trace'), 'utf8')).toBe('');
  });
});
