import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createShellProvider, type ShellProviderOptions } from '../../../src/executors/shell/shell-provider.ts';
import { AbortReason } from '../../../src/lib/abort.ts';
import { PrepareError } from '../../../src/lib/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { needs } from '../../support/needs.ts';
import { type PlanOverrides, planFor, runnerFor } from './plan.ts';
import { isRunning, pidsIn } from './process-cases.ts';
import { newScratchFolder } from './scratch-folder.ts';
import { eventually, neverAborted, type OpenJob, openJob } from './subject.ts';
import { shellTimes } from './subjects.ts';

/** What is special about the shell executor (spec executors-other.md §1). */
describe('shell executor on its host', () => {
  const open: OpenJob[] = [];
  afterEach(async () => {
    for (const job of open.splice(0)) await job.close();
  });

  function providerFor(options: Partial<ShellProviderOptions> = {}) {
    return createShellProvider({
      environment: process.env,
      workingDirectory: process.cwd(),
      helperCommand: ['/usr/bin/runner'],
      times: shellTimes,
      clock: systemClock(),
      scratchFolder: newScratchFolder,
      ...options,
    });
  }

  async function jobWith(options: Partial<ShellProviderOptions>, plan: PlanOverrides = {}): Promise<OpenJob> {
    const job = await openJob({ name: 'shell', createProvider: () => providerFor(options) }, plan);
    open.push(job);
    return job;
  }

  async function prepareWith(options: Partial<ShellProviderOptions>, plan: PlanOverrides = {}, shell = '') {
    const lease = await providerFor(options).acquire(runnerFor('shell', shell), neverAborted);
    const log = { print: () => {}, info: () => {}, warning: () => {}, error: () => {} };
    return await lease?.prepare(planFor(plan), { log, directory: '/', recordEnvironment: () => {} }, neverAborted);
  }

  it('says which shell it uses', async () => {
    expect((await jobWith({}, { shell: 'sh' })).logLines).toEqual(['Using Shell (sh) executor...']);
  });

  it('puts its folders below the working directory', () => {
    const traits = providerFor({ workingDirectory: '/srv/ci' }).traits(runnerFor('shell'));
    expect(traits).toMatchObject({ defaultBuildsDir: '/srv/ci/builds', defaultCacheDir: '/srv/ci/cache' });
    expect(traits).toMatchObject({ loginShell: true, sharedBuildsDir: true, helperCommand: ['/usr/bin/runner'] });
  });

  it.each([
    ['cmd', {}, {}, 'shell cmd not found'],
    ['', {}, { shell: 'pwsh' }, 'shell pwsh not found'],
    ['', { workingDirectory: '/does/not/exist' }, {}, 'the working directory /does/not/exist does not exist'],
    ['', { user: 'nobody', environment: { PATH: '/does/not/exist' } }, {}, 'su not found'],
  ] as const)('refuses what cannot work: %s %j %j', async (shell, options, plan, message) => {
    const failure = prepareWith(options, plan, shell);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toBeInstanceOf(PrepareError);
  });

  it('gives stages the environment and the directory of the manager', async () => {
    const job = await jobWith({
      environment: { PATH: process.env['PATH'], FROM_MANAGER: 'yes', LC_ALL: 'C.UTF-8' },
      workingDirectory: '/usr',
    });
    const { stage } = await job.run('echo "$FROM_MANAGER $LC_ALL"; pwd; umask');
    const umask = process.umask().toString(8).padStart(4, '0');
    expect(stage.text('stdout')).toBe(`yes C.UTF-8\n/usr\n${umask}\n`);
  });

  it('loads the profile in a login shell only', async () => {
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    writeFileSync(join(home, '.bash_profile'), 'FROM_PROFILE=yes\n');
    const environment = { PATH: process.env['PATH'], HOME: home };
    for (const [loginShell, expected] of [
      [true, 'yes'],
      [false, ''],
    ] as const) {
      const job = await jobWith({ environment }, { loginShell });
      expect((await job.run('echo "$FROM_PROFILE"')).stage.text('stdout')).toBe(`${expected}\n`);
    }
    rmSync(home, { recursive: true });
  });

  it('keeps its files from other accounts', async () => {
    const job = await jobWith({});
    const { stage } = await job.run('echo secret');
    expect(statSync(stage.directory).mode & 0o077).toBe(0);
    expect(statSync(join(stage.directory, 'script')).mode & 0o077).toBe(0);
  });

  it('removes output that the journal does not need any more, and no other', async () => {
    const job = await jobWith({ limits: { readsPerSegment: 2, freeSegments: 8, waitAboveKib: 1_000_000 } });
    const { stage } = await job.run('head -c 1000000 /dev/zero', { durableCursor: () => [3, 10, 0, 0] });
    const kept = [0, 1, 2, 3, 4].map((segment) => existsSync(join(stage.directory, `stdout.${segment}`)));
    expect(kept).toEqual([false, false, false, true, true]);
  });

  it('gives PowerShell its script as a file where it is told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pwsh-'));
    writeFileSync(join(folder, 'pwsh'), '#!/bin/sh\nprintf "%s\\n" "$@"; cat; cat "$6"\n');
    chmodSync(join(folder, 'pwsh'), 0o755);
    const environment = { PATH: `${folder}:${process.env['PATH']}` };
    const job = await jobWith({ environment }, { shell: 'pwsh', powershellFromFile: true });
    const { stage } = await job.run('the script');
    const path = join(stage.directory, 'script.ps1');
    expect(stage.text('stdout')).toBe(
      `-NoProfile\n-NonInteractive\n-ExecutionPolicy\nBypass\n-File\n${path}\nthe script`,
    );
    const stdinJob = await jobWith({ environment }, { shell: 'pwsh' });
    expect((await stdinJob.run('from stdin')).stage.text('stdout')).toContain('-EncodedCommand');
    rmSync(folder, { recursive: true });
  });

  it('ends a script whose output cannot be stored, delivers what could be, and says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dd-'));
    writeFileSync(join(folder, 'dd'), '#!/bin/sh\ncase $* in *stdout.1*) exit 1 ;; esac\nexec /usr/bin/dd "$@"\n');
    chmodSync(join(folder, 'dd'), 0o755);
    const job = await jobWith({
      environment: { PATH: `${folder}:${process.env['PATH']}` },
      limits: { readsPerSegment: 2, freeSegments: 8, waitAboveKib: 1_000_000 },
    });
    const { stage, exit } = job.start('echo first >&2; head -c 10000000 /dev/zero; sleep 300');
    await expect(exit).rejects.toThrow(/step_script could not be stored/);
    expect(stage.text('stderr')).toBe('first\n');
    expect(stage.bytes('stdout').length).toBeGreaterThan(0);
    expect(stage.bytes('stdout').length).toBeLessThan(1_000_000);
    rmSync(folder, { recursive: true });
  });

  describe.skipIf(!needs('root'))('as another user', () => {
    it('runs stages as that user, out of reach of its files', async () => {
      const job = await jobWith({ user: 'nobody', workingDirectory: '/' });
      const script = `id -un; cat '${job.directory}'/*/script || echo unreadable; exit 4`;
      const { stage, exit } = await job.run(script);
      expect(stage.text('stdout')).toBe('nobody\nunreadable\n');
      expect(exit).toEqual({ code: 4, text: 'exit status 4' });
      expect(job.executor.localFiles).toBeUndefined();
    });

    it('ends its processes on abort', async () => {
      const job = await jobWith({ user: 'nobody', workingDirectory: '/' });
      const controller = new AbortController();
      const script = "(setsid sh -c 'echo pid $$; exec sleep 300 >/dev/null 2>&1' &) & echo pid $$; sleep 300";
      const { stage, exit } = job.start(script, { signal: controller.signal });
      exit.catch(() => {});
      const pids = await eventually('both run', () => pidsIn(stage).length === 2 && pidsIn(stage));
      expect(readFileSync(`/proc/${pids[0]}/status`, 'utf8')).not.toMatch(/^Uid:\t0/m);
      controller.abort(new AbortReason('aborted'));
      await expect(exit).rejects.toMatchObject({ kind: 'aborted' });
      expect(pids.filter(isRunning)).toEqual([]);
    });

    it('refuses PowerShell from a file', async () => {
      const failure = prepareWith(
        { user: 'nobody', environment: { PATH: '/bin' } },
        { shell: 'pwsh', powershellFromFile: true },
      );
      await expect(failure).rejects.toBeInstanceOf(PrepareError);
    });
  });
});
