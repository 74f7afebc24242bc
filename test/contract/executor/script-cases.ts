import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createShellProvider } from '../../../src/executors/shell/shell-provider.ts';
import type { JsonValue } from '../../../src/lib/json.ts';
import { readProcessStat } from '../../../src/platform/process-identity.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { newScratchFolder } from './scratch-folder.ts';
import { type ExecutorSubject, eventually, type OpenJob, openJob, type RecordedStage } from './subject.ts';

/** Cases for executors that run real scripts in a POSIX shell. */
export function describeScripts(subject: ExecutorSubject): void {
  const open: OpenJob[] = [];
  afterEach(async () => {
    for (const job of open.splice(0)) await job.close();
  });

  async function newJob(): Promise<OpenJob> {
    const job = await openJob(subject);
    open.push(job);
    return job;
  }

  it('keeps every byte of binary output and of a 10 MB line', async () => {
    const job = await newJob();
    const size = 10_000_000;
    const script = `printf '\\000\\001\\377\\n\\r' >&2; head -c ${size} /dev/zero | tr '\\0' 'x'`;
    const { stage } = await job.run(script);
    expect([...stage.bytes('stderr')]).toEqual([0, 1, 255, 10, 13]);
    expect(stage.bytes('stdout').equals(Buffer.alloc(size, 'x'))).toBe(true);
  });

  it('has nothing on standard input but the script', async () => {
    const job = await newJob();
    const { stage, exit } = await job.run('cat\n');
    expect(stage.text('stdout')).toBe('');
    expect(exit.code).toBe(0);
  });

  it('lets scripts reopen their streams', async () => {
    const job = await newJob();
    const script = 'echo 1; echo 2 >/dev/stdout; echo 3 | tee /dev/stderr; echo 4 >/dev/stderr; echo 5';
    const { stage } = await job.run(script);
    expect(stage.text('stdout')).toBe('1\n2\n3\n5\n');
    expect(stage.text('stderr')).toBe('3\n4\n');
  });

  it('gives output while the script runs', async () => {
    const job = await newJob();
    const script = `echo ready; until [ -e '${job.directory}/seen' ]; do sleep 0.02; done; echo done`;
    const { stage, exit } = job.start(script);
    await eventually('output of a running script', () => stage.text('stdout') === 'ready\n');
    await job.run(`: >'${job.directory}/seen'`).catch(() => {});
    await exit;
    expect(stage.text('stdout')).toBe('ready\ndone\n');
  });

  it('waits for a background child that holds the output', async () => {
    const job = await newJob();
    const { stage, exit } = await job.run('(sleep 0.3; echo late) & echo early; exit 7');
    expect(stage.text('stdout')).toBe('early\nlate\n');
    expect(exit.code).toBe(7);
  });

  it('does not wait for a background child that has redirected it, and lets it live on', async () => {
    const job = await newJob();
    const { stage } = await job.run('sleep 300 >/dev/null 2>&1 & echo $!');
    const pid = Number(stage.text('stdout'));
    await job.executor.cleanup(new AbortController().signal);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  it.each([
    ['kill -9 $$', -1, 'signal: killed'],
    ['kill -TERM $$', -1, 'signal: terminated'],
    ['kill -SEGV $$', -1, 'signal: segmentation fault'],
    ['kill -9 0', -1, 'signal: killed'],
    ['kill -- -$$; sleep 5', -1, 'signal: terminated'],
    ['exit 137', 137, 'exit status 137'],
    ['exit 143', 143, 'exit status 143'],
    ["sh -c 'kill -9 $$'; exit", 137, 'exit status 137'],
    ['no-such-command', 127, 'exit status 127'],
  ])('tells how %j ended', async (script, code, text) => {
    const job = await newJob();
    expect((await job.run(script)).exit).toEqual({ code, text });
  });

  it('starts scripts with default signal handling and only its three streams', async () => {
    const job = await newJob();
    const { stage } = await job.run('trap; grep Sig[IB] /proc/self/status; ls /proc/self/fd | head -3 | tail -1');
    const masks = stage.text('stdout').match(/[0-9a-f]{16}/g) ?? [];
    expect(masks).toHaveLength(2);
    for (const mask of masks) expect(Number.parseInt(mask, 16)).toBe(0);
  });

  it('holds a flood back when the caller is slow, and loses nothing of it', async () => {
    const pendingMib = 12;
    const provider = createShellProvider({
      environment: process.env,
      workingDirectory: process.cwd(),
      helperCommand: ['helper'],
      clock: systemClock(),
      scratchFolder: newScratchFolder,
      limits: { readsPerSegment: 16, freeSegments: 4, waitAboveKib: pendingMib * 1024 },
    });
    const job = await openJob({ ...subject, createProvider: () => provider });
    open.push(job);
    const size = 100_000_000;
    let largest = 0;
    let durable: JsonValue | undefined;
    let received = 0;
    const { exit } = job.start(`head -c ${size} /dev/zero`, {
      durableCursor: () => durable,
      onWrite: async (stage) => {
        // The first piece is kept until the script is made to wait.
        if (received === 0) await eventually('a waiting supervisor', () => isHoldingBack(stage));
        largest = Math.max(largest, folderBytes(stage.directory));
        received += stage.pieces.splice(0).reduce((sum, { bytes }) => sum + bytes.length, 0);
        durable = stage.cursors.splice(0).at(-1) ?? durable;
      },
    });
    expect((await exit).code).toBe(0);
    expect(received).toBe(size);
    expect(largest).toBeGreaterThan((pendingMib - 2) * 1024 * 1024);
    expect(largest).toBeLessThan((pendingMib + 4) * 1024 * 1024);
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether the stage's supervisor sleeps until there is room. */
function isHoldingBack(stage: RecordedStage): boolean {
  const { pid } = stage.handles.at(-1) as { readonly pid: number };
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name) || readProcessStat(Number(name))?.group !== pid) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith('sleep');
    } catch {
      // It has ended since.
      return false;
    }
  });
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
