import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { AbortReason } from '../../../src/lib/abort.ts';
import { EnvironmentLostError } from '../../../src/lib/errors.ts';
import type { JsonValue } from '../../../src/lib/json.ts';
import { killAll, processesWith } from '../../support/job-processes.ts';
import { isRunning, pidsIn } from './process-cases.ts';
import { type ExecutorSubject, eventually, makeJobFolder, neverAborted, type OpenJob, openJob } from './subject.ts';

const managerProgram = fileURLToPath(new URL('fixtures/manager.ts', import.meta.url));

/** What a killed manager left in its journal. */
interface Journal {
  readonly environment: JsonValue;
  readonly handle: JsonValue;
  readonly cursor: JsonValue | undefined;
  readonly stdout: string;
  readonly hasEnded: boolean;
}

/** Cases about a manager that is killed, and a second one that takes up what it left. */
export function describeRecovery(subject: ExecutorSubject): void {
  const open: OpenJob[] = [];
  const homes: string[] = [];
  afterEach(async () => {
    for (const job of open.splice(0)) await job.close();
    for (const home of homes.splice(0)) {
      killAll(processesWith(`HOME=${home}`));
      rmSync(home, { recursive: true, force: true });
    }
  });

  /** Runs a manager until its journal satisfies a condition, then kills it. */
  async function killManager(
    script: string,
    variables: Readonly<Record<string, string>>,
    isTime: (journal: Journal, directory: string) => boolean,
    death = '',
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<{ readonly directory: string; readonly journal: Journal }> {
    const directory = makeJobFolder();
    const args = [managerProgram, subject.name, directory, script, JSON.stringify(variables), death];
    const manager = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    const ended = once(manager, 'exit');
    await eventually('the manager got far enough', () => isTime(readJournal(directory), directory));
    manager.kill('SIGKILL');
    await ended;
    return { directory, journal: readJournal(directory) };
  }

  async function takeUp(
    directory: string,
    journal: Journal,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<OpenJob> {
    const job = await openJob(subject, { variables }, { directory, handle: journal.environment });
    open.push(job);
    return job;
  }

  function resume(job: OpenJob, journal: Journal, signal = neverAborted) {
    const { cursor, handle } = journal;
    const directory = join(job.directory, 'stage');
    return job.resume(handle, { directory, signal, ...(cursor === undefined ? {} : { cursor }) });
  }

  it('follows a stage that outlived its manager, each byte once', async () => {
    const stdout = 'x'.repeat(50_000);
    const { script, variables } = subject.express({ stdout, sleepMs: 1500, exitCode: 6 });
    const { directory, journal } = await killManager(script, variables, ({ cursor }) => cursor !== undefined);
    expect(journal.hasEnded).toBe(false);
    const job = await takeUp(directory, journal, variables);
    const { stage, exit } = resume(job, journal);
    expect(await exit).toEqual({ code: 6, text: `${subject.exitWords ?? 'exit status'} 6` });
    expect(journal.stdout + stage.text('stdout')).toBe(stdout);
    expect(await job.executor.cleanup(neverAborted)).toEqual({ leftovers: [] });
  });

  it('ends a stage that outlived its manager when it is aborted', async () => {
    const { script, variables } = subject.express({ stdout: 'x', sleepMs: 60_000 });
    const { directory, journal } = await killManager(script, variables, ({ cursor }) => cursor !== undefined);
    const job = await takeUp(directory, journal, variables);
    const controller = new AbortController();
    const { exit } = resume(job, journal, controller.signal);
    exit.catch(() => {});
    const reason = new AbortReason('interrupted');
    controller.abort(reason);
    await expect(exit).rejects.toBe(reason);
  });

  if (subject.skips.processes !== undefined) return;
  describe('of processes', () => {
    const hasPid = ({ stdout }: Journal): boolean => pidsOf(stdout).length > 0;

    it('delivers what a stage wrote and how it ended while no manager lived', async () => {
      const script = 'echo pid $$; sleep 0.3; echo later; echo error >&2; exit 9';
      const { directory, journal } = await killManager(script, {}, hasPid);
      await eventually('the stage has ended', () =>
        readFileSync(join(directory, 'stage', 'status'), 'utf8').endsWith('done\n'),
      );
      const job = await takeUp(directory, journal);
      const { stage, exit } = resume(job, journal);
      expect(await exit).toEqual({ code: 9, text: 'exit status 9' });
      expect(stage.text('stdout')).toBe('later\n');
      expect(stage.text('stderr')).toBe('error\n');
    });

    /** A home whose profile waits for a file, and the environment of a manager with it. */
    function slowProfile(): { readonly env: NodeJS.ProcessEnv; readonly go: () => void } {
      const home = makeJobFolder();
      homes.push(home);
      writeFileSync(join(home, '.profile'), `echo profile; while [ ! -e '${home}/go' ]; do sleep 0.05; done\n`);
      return { env: { ...process.env, HOME: home }, go: () => writeFileSync(join(home, 'go'), '') };
    }

    it.each(['before-record', 'before-line'])('begins nothing when its manager dies %s', async (death) => {
      const { env, go } = slowProfile();
      const isTime = ({ handle }: Journal, folder: string): boolean =>
        death === 'before-record' ? existsSync(join(folder, 'stage')) : handle !== null;
      const { directory, journal } = await killManager('echo started', {}, isTime, death, env);
      const job = await takeUp(directory, journal);
      const { stage, exit } = resume(job, journal);
      go();
      expect(await exit).toBe('not_started');
      expect(stage.pieces).toEqual([]);
      await eventually('no process of it is left', () => processesWith(`HOME=${env['HOME']}`).length === 0);
      expect(outputBelow(directory)).not.toContain('started');
    });

    it('begins a stage once its manager has told it to, even after that is dead', async () => {
      const { env, go } = slowProfile();
      const { directory, journal } = await killManager(
        'echo started; exit 3',
        {},
        ({ handle }) => handle !== null,
        'after-line',
        env,
      );
      const job = await takeUp(directory, journal);
      const { stage, exit } = resume(job, journal);
      go();
      expect(await exit).toEqual({ code: 3, text: 'exit status 3' });
      expect(stage.text('stdout')).toBe('profile\nstarted\n');
    });

    it('never begins a stage whose supervisor was killed before', async () => {
      const { env, go } = slowProfile();
      const isRecorded = ({ handle }: Journal): boolean => handle !== null;
      const { directory, journal } = await killManager('echo started', {}, isRecorded, 'after-line', env);
      await eventually('the shell reads its profile', () => outputBelow(directory).includes('profile'));
      process.kill((journal.handle as { readonly pid: number }).pid, 'SIGKILL');
      const job = await takeUp(directory, journal);
      expect(await resume(job, journal).exit).toBe('not_started');
      go();
      await eventually('no process of it is left', () => processesWith(`HOME=${env['HOME']}`).length === 0);
      expect(outputBelow(directory)).not.toContain('started');
    });

    it('ends a stage that is aborted before it begins', async () => {
      const { env } = slowProfile();
      const isRecorded = ({ handle }: Journal): boolean => handle !== null;
      const { directory, journal } = await killManager('echo started', {}, isRecorded, 'after-line', env);
      const job = await takeUp(directory, journal);
      const controller = new AbortController();
      const { exit } = resume(job, journal, controller.signal);
      exit.catch(() => {});
      controller.abort(new AbortReason('interrupted'));
      await expect(exit).rejects.toMatchObject({ kind: 'interrupted' });
      expect(processesWith(`HOME=${env['HOME']}`)).toEqual([]);
    });

    it('reports what was killed while no manager lived, delivers its output and ends its daemons', async () => {
      const daemon = "(setsid sh -c 'echo pid $$; exec sleep 300 >/dev/null 2>&1' &)";
      const script = `${daemon}; echo pid $$; sleep 300`;
      const { directory, journal } = await killManager(script, {}, ({ stdout }) => pidsOf(stdout).length === 2);
      const { pid } = journal.handle as { readonly pid: number };
      process.kill(pid, 'SIGKILL');
      await eventually('the supervisor is gone', () => !isRunning(pid));
      const job = await takeUp(directory, journal);
      const { stage, exit } = resume(job, { ...journal, cursor: undefined });
      await expect(exit).rejects.toBeInstanceOf(EnvironmentLostError);
      expect(stage.text('stdout')).toBe(journal.stdout);
      expect(pidsOf(journal.stdout).filter(isRunning)).toEqual([]);
    });

    it('notices that the supervisor is killed while it is followed', async () => {
      const { directory, journal } = await killManager('echo pid $$; sleep 300', {}, hasPid);
      const job = await takeUp(directory, journal);
      const { exit } = resume(job, journal);
      exit.catch(() => {});
      process.kill((journal.handle as { readonly pid: number }).pid, 'SIGKILL');
      await expect(exit).rejects.toBeInstanceOf(EnvironmentLostError);
      expect(pidsOf(journal.stdout).filter(isRunning)).toEqual([]);
    });

    it('ends everything at cleanup when the stage is not taken up', async () => {
      const { directory, journal } = await killManager('echo pid $$; sleep 300', {}, hasPid);
      const job = await takeUp(directory, journal);
      expect(await job.executor.cleanup(neverAborted)).toEqual({ leftovers: [] });
      expect(pidsOf(journal.stdout).filter(isRunning)).toEqual([]);
    });

    it('knows that nothing outlives a restart of the host', async () => {
      const { directory, journal } = await killManager('echo pid $$; exec sleep 300', {}, hasPid);
      const job = await takeUp(directory, journal);
      const handle = { ...(journal.handle as object), bootId: 'another boot' };
      const { exit } = resume(job, { ...journal, handle });
      await expect(exit).rejects.toBeInstanceOf(EnvironmentLostError);
      const environment = { ...(journal.environment as object), bootId: 'another boot' };
      await expect(openJob(subject, {}, { directory, handle: environment })).rejects.toThrow('gone');
      // Same id, another boot: not ours to end by that record.
      expect(pidsOf(journal.stdout).every(isRunning)).toBe(true);
    });

    it('reads no half-written status', async () => {
      const { directory, journal } = await killManager('echo pid $$; sleep 300', {}, hasPid);
      const job = await takeUp(directory, journal);
      await job.executor.cleanup(neverAborted);
      await eventually('the stage has ended', () =>
        readFileSync(join(directory, 'stage', 'status'), 'utf8').endsWith('done\n'),
      );
      writeFileSync(join(directory, 'stage', 'status'), 'begun\n1');
      const { exit } = resume(job, journal);
      await expect(exit).rejects.toBeInstanceOf(EnvironmentLostError);
    });
  });
}

/** What the processes of a killed manager wrote, wherever that is. */
function outputBelow(directory: string): string {
  const folder = join(directory, 'stage');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^std(out|err)\./.test(name)) : [];
  return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
}

function pidsOf(stdout: string): readonly number[] {
  return pidsIn({ text: () => stdout });
}

function readJournal(directory: string): Journal {
  const path = join(directory, 'journal');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '');
  const records = lines.map((line) => JSON.parse(line) as Readonly<Record<string, JsonValue>>);
  const last = (key: string): JsonValue | undefined => records.findLast((record) => key in record)?.[key];
  const output = records.filter((record) => record['stream'] === 'stdout');
  return {
    environment: last('environment') ?? null,
    handle: last('handle') ?? null,
    cursor: last('cursor'),
    stdout: Buffer.concat(
      output.map(({ bytes }) => Buffer.from(typeof bytes === 'string' ? bytes : '', 'base64')),
    ).toString(),
    hasEnded: records.some((record) => 'exit' in record),
  };
}
