import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunnerConfig } from '../../src/config/runner-config.ts';
import type { BuildPlan, StagePlan } from '../../src/plan/build-plan.ts';
import { planBuild } from '../../src/plan/plan-build.ts';
import { generateScript } from '../../src/shells/generate-script.ts';
import {
  payloadFixture,
  planRequestFixture,
  runnerFixture,
  shellTraits,
  variablesFixture,
} from '../support/plan-fixtures.ts';
import { isInstalled, realShells } from '../support/real-shells.ts';
import { runScript } from '../support/run-script.ts';

let directory: string;
let origin: string;
const gitEnvironment = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'c',
  GIT_COMMITTER_EMAIL: 'c@example.com',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'protocol.file.allow',
  GIT_CONFIG_VALUE_0: 'always',
};

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-git-')));
  origin = join(directory, 'origin', 'demo.git');
  git(directory, 'init', '-q', '-b', 'main', origin);
  commit(origin, 'file.txt', 'first\n');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd,
    env: { ...process.env, HOME: directory, ...gitEnvironment },
    encoding: 'utf8',
  }).trim();
}

function commit(repository: string, name: string, content: string): string {
  writeFileSync(join(repository, name), content);
  git(repository, 'add', '-A');
  git(repository, 'commit', '-q', '-m', name);
  return git(repository, 'rev-parse', 'HEAD');
}

interface Setup {
  readonly variables?: Readonly<Record<string, string>>;
  readonly runner?: Partial<RunnerConfig>;
  readonly shell?: 'bash' | 'sh';
  readonly depth?: number;
  readonly repositoryUrl?: string;
  readonly hooks?: readonly { name: string; script: readonly string[] }[];
}

function plan(setup: Setup = {}): BuildPlan {
  const sha = git(origin, 'rev-parse', 'HEAD');
  return planBuild(
    planRequestFixture({
      payload: payloadFixture({
        git_info: {
          repo_url: setup.repositoryUrl ?? `file://${origin}`,
          ref: 'main',
          sha,
          refspecs: ['+refs/heads/main:refs/remotes/origin/main'],
          depth: setup.depth ?? 0,
        },
        hooks: setup.hooks ?? [],
        variables: variablesFixture(setup.variables ?? {}),
      }),
      runner: runnerFixture({ shell: setup.shell ?? 'bash', ...setup.runner }),
      traits: {
        ...shellTraits,
        defaultBuildsDir: join(directory, 'builds'),
        defaultCacheDir: join(directory, 'cache'),
      },
    }),
  );
}

async function run(build: BuildPlan, stage: StagePlan, command: readonly string[] = ['bash']) {
  const script = generateScript(stage, build, { jobStatus: 'running' });
  return await runScript(command, script, { cwd: directory, env: gitEnvironment });
}

describe('get_sources', () => {
  it.each(realShells)('fetches the commit and later the next one in $name', async (real) => {
    if (!isInstalled(real)) return;
    const setup: Setup = { shell: real.shell === 'sh' ? 'sh' : 'bash', runner: { featureFlags: real.flags } };
    const first = plan(setup);
    const fresh = await run(first, first.stages.getSources, real.command);
    expect(fresh.stderr.replace(/^(hint|Initialized).*$/gm, '').trim()).not.toContain('fatal');
    expect(fresh.stdout).toContain('Created fresh repository.');
    expect(fresh.stdout).toContain('as detached HEAD (ref is main)...');
    expect(fresh.code).toBe(0);
    const { project } = first.directories;
    expect(readFileSync(join(project, 'file.txt'), 'utf8')).toBe('first\n');

    writeFileSync(join(project, 'file.txt'), 'changed by a job\n');
    writeFileSync(join(project, 'left'), '');
    writeFileSync(join(project, '.git/index.lock'), '');
    writeFileSync(join(project, '.git/refs/heads/x.lock'), '');
    const sha = commit(origin, 'file.txt', 'second\n');
    const second = plan(setup);
    const again = await run(second, second.stages.getSources, real.command);
    expect(again.stdout).not.toContain('Created fresh repository.');
    expect(again.code).toBe(0);
    expect(readFileSync(join(project, 'file.txt'), 'utf8')).toBe('second\n');
    expect(existsSync(join(project, 'left'))).toBe(false);
    expect(git(project, 'rev-parse', 'HEAD')).toBe(sha);
  });

  it('makes a shallow repository and deepens it again', async () => {
    commit(origin, 'file.txt', 'second\n');
    const shallow = plan({ depth: 1 });
    await run(shallow, shallow.stages.getSources);
    expect(git(shallow.directories.project, 'rev-list', '--count', 'HEAD')).toBe('1');
    const whole = plan();
    expect(await run(whole, whole.stages.getSources)).toMatchObject({ code: 0 });
    expect(git(whole.directories.project, 'rev-list', '--count', 'HEAD')).toBe('2');
  });

  it('starts again from nothing with GIT_STRATEGY=clone', async () => {
    const build = plan({ variables: { GIT_STRATEGY: 'clone', GIT_CLEAN_FLAGS: 'none' } });
    mkdirSync(build.directories.project, { recursive: true });
    writeFileSync(join(build.directories.project, 'left'), '');
    expect(await run(build, build.stages.getSources)).toMatchObject({ code: 0 });
    expect(existsSync(join(build.directories.project, 'left'))).toBe(false);
  });

  it('keeps credentials out of the project and offers them through an include', async () => {
    const build = plan({ variables: { GIT_CHECKOUT: 'false' } });
    await run(build, build.stages.getSources);
    const { project, temporary } = build.directories;
    expect(readFileSync(join(project, '.git/config'), 'utf8')).not.toContain('glcbt-64_secret-token');
    expect(readFileSync(`${temporary}/.gitlab-runner.ext.conf`, 'utf8')).toContain('glcbt-64_secret-token');
    const rewritten = git(project, 'ls-remote', '--get-url', 'https://gitlab.example.com/other/project.git');
    expect(rewritten).toBe('https://gitlab-ci-token:glcbt-64_secret-token@gitlab.example.com/other/project.git');
    expect(git(project, 'config', 'http.extraHeader')).toBe('X-Gitaly-Correlation-ID: 01CORRELATION');
    expect(git(project, 'config', 'gc.autoDetach')).toBe('false');
  });

  it('includes the configuration when the repository was there before', async () => {
    const build = plan();
    mkdirSync(build.directories.project, { recursive: true });
    git(build.directories.project, 'init', '-q');
    git(build.directories.project, 'remote', 'add', 'origin', 'https://old.example.com/x.git');
    expect(await run(build, build.stages.getSources)).toMatchObject({ code: 0 });
    const { project, temporary } = build.directories;
    expect(git(project, 'config', '--get-all', 'include.path')).toBe(`${temporary}/.gitlab-runner.ext.conf`);
    expect(git(project, 'remote', 'get-url', 'origin')).toBe(`file://${origin}`);
  });

  it('lets git ask the environment for the token where URLs hold none', async () => {
    const build = plan({
      variables: { FF_GIT_URLS_WITHOUT_TOKENS: 'true', GIT_STRATEGY: 'none' },
      repositoryUrl: 'https://gitlab-ci-token:glcbt-64_secret-token@gitlab.example.com/group/demo.git',
    });
    const ask = `printf 'protocol=https\\nhost=gitlab.example.com\\n\\n' | git credential fill`;
    const { getSources } = build.stages;
    const stage: StagePlan = {
      ...getSources,
      operations: [...getSources.operations, { op: 'userCommand', text: ask, sectionId: 'x', asSection: false }],
    };
    const result = await run(build, stage);
    expect(result.stdout).toContain('username=gitlab-ci-token\npassword=glcbt-64_secret-token\n');
    expect(readFileSync(`${build.directories.temporary}/.gitlab-runner.ext.conf`, 'utf8')).not.toContain(
      'secret-token',
    );
  });

  it('makes credential helpers forget the token', async () => {
    const stored = join(directory, 'stored');
    writeFileSync(stored, 'https://gitlab-ci-token:old@gitlab.example.com\nhttps://me:mine@example.org\n');
    writeFileSync(join(directory, '.gitconfig'), `[credential]\n\thelper = store --file ${stored}\n`);
    const build = plan({ runner: { cloneUrl: '' }, repositoryUrl: 'https://gitlab.example.com/group/demo.git' });
    const rejecting: StagePlan = {
      ...build.stages.getSources,
      operations: build.stages.getSources.operations.slice(-1),
    };
    expect(await run(build, rejecting)).toMatchObject({ code: 0 });
    expect(readFileSync(stored, 'utf8')).toBe('https://me:mine@example.org\n');
  });

  it('brings submodules, also changed and nested ones', async () => {
    const inner = join(directory, 'origin', 'inner.git');
    const outer = join(directory, 'origin', 'outer.git');
    for (const repository of [inner, outer]) git(directory, 'init', '-q', '-b', 'main', repository);
    commit(inner, 'inner.txt', 'inner\n');
    commit(outer, 'outer.txt', 'outer\n');
    git(outer, 'submodule', 'add', '-q', inner, 'inner');
    git(outer, 'commit', '-q', '-m', 'inner');
    git(origin, 'submodule', 'add', '-q', outer, 'outer');
    git(origin, 'commit', '-q', '-m', 'outer');
    const normal = plan({ variables: { GIT_SUBMODULE_STRATEGY: 'normal' } });
    const { project, temporary } = normal.directories;
    expect((await run(normal, normal.stages.getSources)).stdout).toContain('Updated submodules');
    expect(existsSync(join(project, 'outer/outer.txt'))).toBe(true);
    expect(existsSync(join(project, 'outer/inner/inner.txt'))).toBe(false);

    writeFileSync(join(project, 'outer/outer.txt'), 'changed');
    const recursive = plan({ variables: { GIT_SUBMODULE_STRATEGY: 'recursive', GIT_SUBMODULE_PATHS: 'outer' } });
    expect(await run(recursive, recursive.stages.getSources)).toMatchObject({ code: 0 });
    expect(readFileSync(join(project, 'outer/outer.txt'), 'utf8')).toBe('outer\n');
    expect(readFileSync(join(project, 'outer/inner/inner.txt'), 'utf8')).toBe('inner\n');
    expect(git(join(project, 'outer'), 'config', 'include.path')).toBe(`${temporary}/.gitlab-runner.ext.conf`);
  });

  it('runs hooks around it, unless there are no sources', async () => {
    const hooks = [
      { name: 'pre_get_sources_script', script: ['echo "hook before"'] },
      { name: 'post_get_sources_script', script: ['echo "hook after in $PWD"'] },
    ];
    const build = plan({ hooks, runner: { preGetSourcesScript: 'echo "runner before"' } });
    const { stdout } = await run(build, build.stages.getSources);
    const order = [
      '\nrunner before',
      '\nhook before',
      'Fetching changes...',
      `\nhook after in ${build.directories.project}`,
    ];
    expect(order.map((text) => stdout.indexOf(text))).toEqual(
      order.map((text) => stdout.indexOf(text)).toSorted((a, b) => a - b),
    );
    expect(stdout.indexOf('\nrunner before')).toBeGreaterThan(0);
    const none = plan({ hooks, variables: { GIT_STRATEGY: 'none' } });
    expect((await run(none, none.stages.getSources)).stdout).not.toContain('hook before');
  });

  it('clears what cannot be fetched over', async () => {
    const build = plan();
    await run(build, build.stages.getSources);
    writeFileSync(join(build.directories.project, 'left'), '');
    expect(await run(build, build.stages.clearWorktree)).toMatchObject({ code: 0 });
    expect(existsSync(join(build.directories.project, 'file.txt'))).toBe(false);
    expect(existsSync(join(build.directories.project, 'left'))).toBe(false);
  });

  it('marks a directory as safe once, however many jobs run', async () => {
    const build = plan({ runner: { safeDirectoryCheckout: true } });
    await run(build, build.stages.getSources);
    await run(build, build.stages.getSources);
    expect(git(directory, 'config', '--global', '--get-all', 'safe.directory')).toBe(build.directories.project);
  });

  it('removes foreign configuration and hooks where it is told to', async () => {
    const build = plan({ runner: { cleanGitConfig: true } });
    await run(build, build.stages.getSources);
    const gitDirectory = join(build.directories.project, '.git');
    mkdirSync(join(gitDirectory, 'hooks'), { recursive: true });
    writeFileSync(join(gitDirectory, 'hooks/post-index-change'), '#!/bin/sh\ntouch "$PWD/hacked"\n', { mode: 0o755 });
    writeFileSync(join(gitDirectory, 'config'), '[core]\n\tfsmonitor = touch hacked\n\trepositoryformatversion = 0\n');
    expect(await run(build, build.stages.getSources)).toMatchObject({ code: 0 });
    expect(existsSync(join(build.directories.project, 'hacked'))).toBe(false);
    await run(build, build.stages.cleanup);
    expect(existsSync(join(gitDirectory, 'config'))).toBe(false);
  });
});
