import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { AbortReason } from '../../../src/lib/abort.ts';
import { EnvironmentLostError } from '../../../src/lib/errors.ts';
import { identifyProcess, readProcessStat } from '../../../src/platform/process-identity.ts';
import { type ExecutorSubject, eventually, type OpenJob, openJob, type RecordedStage } from './subject.ts';

/** Cases about the processes of a job: which must end, and which must not be touched. */
export function describeProcesses(subject: ExecutorSubject): void {
  const open: OpenJob[] = [];
  const strangers: ChildProcess[] = [];
  afterEach(async () => {
    for (const job of open.splice(0)) await job.close();
    for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  });

  async function newJob(): Promise<OpenJob> {
    const job = await openJob(subject);
    open.push(job);
    return job;
  }

  async function stranger(): Promise<number> {
    const child = spawn('sleep', ['300'], { stdio: 'ignore', detached: true });
    strangers.push(child);
    await once(child, 'spawn');
    return child.pid ?? 0;
  }

  /** Starts a script that writes the ids of its processes as lines of `pid NUMBER`, and aborts once all are there. */
  async function abortOnceStarted(job: OpenJob, script: string, count: number) {
    const controller = new AbortController();
    const { stage, exit } = job.start(script, { signal: controller.signal });
    exit.catch(() => {});
    const pids = await eventually('all processes have started', () => {
      const found = pidsIn(stage);
      return found.length === count && found;
    });
    const reason = new AbortReason('aborted');
    controller.abort(reason);
    await expect(exit).rejects.toBe(reason);
    return { stage, pids };
  }

  it.each([
    ['a child', 'sleep 300 & echo pid $!; wait', 1],
    ['a child of a child', '(sleep 300 & echo pid $!; wait) & echo pid $!; wait', 2],
    ['one in a session of its own', "setsid sh -c 'echo pid $$; exec sleep 300' & wait", 1],
    ['a daemon', "(setsid sh -c 'echo pid $$; exec sleep 300 >/dev/null 2>&1' &) & wait; sleep 300", 1],
    ['one without environment', "env -i sh -c 'echo pid $$; exec sleep 300' & wait", 1],
    [
      'a daemon without environment in the session of the script',
      "(env -i sh -c 'echo pid $$; exec sleep 300 >/dev/null 2>&1' &) & wait; sleep 300",
      1,
    ],
    [
      'a daemon without environment in a session of its own that holds the output',
      "(env -i setsid sh -c 'echo pid $$; exec sleep 300' &) & wait; sleep 300",
      1,
    ],
    ['a stopped one', 'sleep 300 & echo pid $!; kill -STOP $!; wait', 1],
    ['one that ignores SIGTERM', 'sh -c \'trap "" TERM; echo pid $$; while :; do sleep 1; done\' & wait', 1],
    ['a script that ignores SIGTERM', "trap '' TERM; echo pid $$; while :; do sleep 1; done", 1],
    ['one that starts others when told to end', "trap 'sleep 300 & sleep 300' TERM; echo pid $$; sleep 300", 1],
  ])('ends %s on abort', async (_what, script, count) => {
    const job = await newJob();
    const { pids } = await abortOnceStarted(job, script, count);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(await remainingOf(job)).toEqual([]);
  });

  it('delivers what a handler of SIGTERM writes', async () => {
    const job = await newJob();
    const script = "trap 'echo bye; echo bye-error >&2; exit 1' TERM; echo pid $$; while :; do sleep 0.05; done";
    const { stage } = await abortOnceStarted(job, script, 1);
    expect(stage.text('stdout')).toMatch(/bye\n$/);
    expect(stage.text('stderr')).toContain('bye-error\n');
  });

  it('ends the daemons of earlier stages at cleanup, once a stage was aborted', async () => {
    const job = await newJob();
    const earlier = await job.run("setsid sh -c 'echo pid $$; exec sleep 300 >/dev/null 2>&1' & sleep 0.2");
    const [daemon] = pidsIn(earlier.stage);
    await abortOnceStarted(job, 'echo pid $$; sleep 300', 1);
    expect(isRunning(daemon ?? 0)).toBe(true);
    expect(await job.executor.cleanup(new AbortController().signal)).toEqual({ leftovers: [] });
    expect(isRunning(daemon ?? 0)).toBe(false);
  });

  it('stops waiting for a script in no hurry when it is cleaned up', async () => {
    const job = await newJob();
    const controller = new AbortController();
    const { stage, exit } = job.start("trap '' TERM; echo pid $$; while :; do sleep 0.1; done", {
      signal: controller.signal,
    });
    exit.catch(() => {});
    const [pid] = await eventually('the script runs', () => pidsIn(stage).length > 0 && pidsIn(stage));
    controller.abort(new AbortReason('aborted'));
    expect(await job.executor.cleanup(new AbortController().signal)).toEqual({ leftovers: [] });
    expect(isRunning(pid ?? 0)).toBe(false);
    await expect(exit).rejects.toMatchObject({ kind: 'aborted' });
  });

  it('leaves the processes of another job and of strangers alone', async () => {
    const [job, other] = [await newJob(), await newJob()];
    const bystander = await stranger();
    const controller = new AbortController();
    const neighbour = other.start('echo pid $$; sleep 300; exit 5', { signal: controller.signal });
    neighbour.exit.catch(() => {});
    const [pid] = await eventually(
      'the other job runs',
      () => pidsIn(neighbour.stage).length > 0 && pidsIn(neighbour.stage),
    );
    await abortOnceStarted(job, 'echo pid $$; sleep 300', 1);
    await job.executor.cleanup(new AbortController().signal);
    expect([pid ?? 0, bystander].map(isRunning)).toEqual([true, true]);
    controller.abort(new AbortReason('finished'));
    await neighbour.exit.catch(() => {});
  });

  it('does not signal a process that got a recorded id later', async () => {
    const job = await newJob();
    const done = await job.run('exit 0');
    const bystander = await stranger();
    const handle = { ...(done.stage.handles.at(-1) as object), pid: bystander, startTime: '1' };
    writeFileSync(join(job.directory, 'status'), 'begun\n');
    const { stage, exit } = job.resume(handle, { directory: job.directory });
    await expect(exit).rejects.toBeInstanceOf(EnvironmentLostError);
    await job.executor.cleanup(new AbortController().signal);
    expect(stage.pieces).toEqual([]);
    expect(isRunning(bystander)).toBe(true);
  });

  it('passes on an error of its caller, after it has ended the stage', async () => {
    const job = await newJob();
    const failure = new Error('disk full');
    let pid = 0;
    const { exit } = job.start('echo pid $$; yes', {
      onWrite: (stage) => {
        pid = pidsIn(stage)[0] ?? 0;
        throw failure;
      },
    });
    await expect(exit).rejects.toBe(failure);
    expect(pid).toBeGreaterThan(0);
    expect(isRunning(pid)).toBe(false);
  });

  it('passes on an error of recording the process, after it has ended it', async () => {
    const job = await newJob();
    const failure = new Error('journal full');
    const { stage, exit } = job.start('sleep 300', {
      onRecord: () => {
        throw failure;
      },
    });
    await expect(exit).rejects.toBe(failure);
    const { pid } = stage.handles[0] as { readonly pid: number };
    expect(isRunning(pid)).toBe(false);
    expect(await remainingOf(job)).toEqual([]);
  });

  it('reports a lost environment when its supervisor was killed, and ends what is left', async () => {
    const job = await newJob();
    const { stage, exit } = job.start('echo pid $$; sleep 300');
    exit.catch(() => {});
    const [script] = await eventually('the script runs', () => pidsIn(stage).length > 0 && pidsIn(stage));
    const { pid } = stage.handles[0] as { readonly pid: number };
    process.kill(pid, 'SIGKILL');
    await expect(exit).rejects.toBeInstanceOf(EnvironmentLostError);
    expect(isRunning(script ?? 0)).toBe(false);
  });

  it('identifies processes by id and start', async () => {
    const identity = identifyProcess(process.pid);
    expect(identity?.startTime).toMatch(/^\d+$/);
    expect(identity?.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  });
}

export function pidsIn(stage: Pick<RecordedStage, 'text'>): readonly number[] {
  return [...stage.text('stdout').matchAll(/^pid (\d+)$/gm)].map((match) => Number(match[1]));
}

export function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== undefined && !stat.isZombie;
}

/** Processes that still have the job's folder in their command line: supervisors and their helpers. */
async function remainingOf(job: OpenJob): Promise<readonly string[]> {
  const child = spawn('ps', ['-A', '-ww', '-o', 'args='], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  expect(existsSync(job.directory)).toBe(true);
  return text.split('\n').filter((line) => line.includes(job.directory));
}
