import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { startEmbedded } from '../../src/commands/pipeline-embedded.ts';
import { type Logger, silentLogger } from '../../src/observability/logger.ts';
import { makeScratch, type Scratch } from '../integration/sources/harness.ts';
import { startProgram } from './pipeline-program.ts';

function makeRepository(scratch: Scratch, path: string, files: Readonly<Record<string, string>>): string {
  const folder = join(scratch.root, path);
  mkdirSync(folder, { recursive: true });
  scratch.git(folder, 'init', '-q');
  for (const [name, content] of Object.entries(files)) scratch.write(`${path}/${name}`, content);
  scratch.git(folder, 'add', '.');
  scratch.git(folder, 'commit', '-qm', path);
  return folder;
}

const showAll = `
show:
  variables: {GIT_SUBMODULE_STRATEGY: recursive}
  script: [cat relative/file.txt foreign/file.txt foreign/new.txt, git status --short]
`;

test('jobs get submodules with their changes, also those of other servers', async () => {
  using scratch = makeScratch();
  makeRepository(scratch, 'remotes/relative', { 'file.txt': 'relative\n' });
  makeRepository(scratch, 'remotes/foreign', { 'file.txt': 'foreign\n' });
  makeRepository(scratch, 'remotes/app', { '.gitlab-ci.yml': showAll });
  const remotes = `file://${scratch.root}/remotes`;
  const app = join(scratch.root, 'app');
  scratch.git(scratch.root, 'clone', '-q', `${remotes}/app`, app);
  scratch.git(app, 'submodule', '--quiet', 'add', '../relative');
  scratch.git(app, 'submodule', '--quiet', 'add', `${remotes}/foreign`);
  scratch.write('app/foreign/new.txt', 'not committed\n');
  const { code, stdout } = await startProgram(scratch, app, 'run').ended;
  expect(stdout).toMatch(
    /^show \| relative\nshow \| foreign\nshow \| not committed\nshow \| \$ git status --short\nshow \| [^?]/m,
  );
  expect(code).toBe(0);
});

test('a shallow clone, fetched whole and with a depth', async () => {
  using scratch = makeScratch();
  const origin = makeRepository(scratch, 'origin', {
    '.gitlab-ci.yml':
      "whole: {variables: {GIT_DEPTH: 0}, script: ['git rev-list --count HEAD']}\ndeep: {script: ['git rev-list --count HEAD']}\n",
  });
  for (const text of ['2', '3', '4']) scratch.git(origin, 'commit', '-qm', text, '--allow-empty');
  const app = join(scratch.root, 'app');
  scratch.git(scratch.root, 'clone', '-q', '--depth=2', `file://${origin}`, app);
  scratch.write('app/new.txt', 'x\n');
  const { code, stdout } = await startProgram(scratch, app, 'run').ended;
  expect(stdout).toMatch(/^whole \| 3$/m);
  expect(stdout).toMatch(/^deep {2}\| 3$/m);
  expect(code).toBe(0);
});

test('folders without a commit, and without a repository', async () => {
  using scratch = makeScratch();
  scratch.write('plain/.gitlab-ci.yml', 'show: {script: [ls]}\n');
  scratch.write('plain/file.txt', 'x\n');
  const plain = await startProgram(scratch, join(scratch.root, 'plain'), 'run').ended;
  expect([plain.code, plain.stdout]).toEqual([0, expect.stringMatching(/^show \| file\.txt$/m)]);
  scratch.git(join(scratch.root, 'plain'), 'init', '-q');
  const unborn = await startProgram(scratch, join(scratch.root, 'plain'), 'run').ended;
  expect([unborn.code, unborn.stdout]).toEqual([0, expect.stringMatching(/^show \| file\.txt$/m)]);
});

test('a runner that was never told to take jobs asks for none, and ends', async () => {
  using scratch = makeScratch();
  const folder = join(scratch.root, 'server');
  mkdirSync(folder);
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const keep = { pipelines: 5, days: 1 };
  const server = await startEmbedded({ folder, concurrency: 2, keep, env: scratch.env, logger });
  const runners = async (): Promise<unknown> =>
    await (
      await fetch(`${server.url}/api/millrace/v1/runners`, { headers: { 'PRIVATE-TOKEN': server.adminToken } })
    ).json();
  expect(await runners()).toEqual([expect.objectContaining({ managers: [] })]);
  server.takeJobs();
  await vi.waitFor(
    async () => expect(await runners()).not.toEqual([expect.objectContaining({ managers: [] })]),
    10_000,
  );
  await server.close();
  const other = await startEmbedded({ folder, concurrency: 2, keep, env: scratch.env, logger });
  await other.close();
  expect(lines).toContain('All workers stopped.');
});

test('the pipeline runs on another coordinator', async () => {
  using scratch = makeScratch();
  const app = makeRepository(scratch, 'app', {
    '.gitlab-ci.yml': 'show: {script: [cat new.txt, git log --format=%s]}\n',
  });
  scratch.write('app/new.txt', 'uploaded\n');
  const folder = join(scratch.root, 'server');
  mkdirSync(folder);
  const keep = { pipelines: 5, days: 1 };
  const server = await startEmbedded({ folder, concurrency: 2, keep, env: scratch.env, logger: silentLogger });
  server.takeJobs();
  try {
    writeFileSync(join(scratch.root, 'token'), `${server.adminToken}\n`);
    const wrong = await startProgram(scratch, app, 'run', { coordinator: server.url }).ended;
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('administrator token')]);
    const { code, stdout } = await startProgram(scratch, app, 'run', {
      coordinator: server.url,
      adminTokenFile: '../token',
    }).ended;
    expect(stdout).toMatch(/^show \| uploaded$/m);
    expect(stdout).toMatch(/^show \| Snapshot of the work tree on top of/m);
    expect(code).toBe(0);
  } finally {
    await server.close();
  }
});
