import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sourcesServer } from '../../../src/coordinator/sources/mount.ts';
import type { SourcesManifest } from '../../../src/coordinator/submission.ts';
import type { RefWishes } from '../../../src/pipeline/sources/served-refs.ts';
import { type RepositorySnapshot, takeSnapshot } from '../../../src/pipeline/sources/snapshot.ts';
import { findSourceRepository } from '../../../src/pipeline/sources/source-repository.ts';

export const neverAborted = new AbortController().signal;

/** A scratch folder with git settings of its own. */
export interface Scratch extends Disposable {
  readonly root: string;
  readonly env: Record<string, string | undefined>;
  git(folder: string, ...args: string[]): string;
  write(path: string, content: string | Buffer, mode?: number): void;
}

export function makeScratch(): Scratch {
  const root = mkdtempSync(join(tmpdir(), 'millrace-sources-'));
  const home = join(root, 'home');
  mkdirSync(home);
  writeFileSync(
    join(home, '.gitconfig'),
    '[user]\n name = Ann\n email = ann@example.com\n[init]\n defaultBranch = main\n[protocol "file"]\n allow = always\n[core]\n fsmonitor = false\n',
  );
  const env: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_DATE: '1700000000 +0100',
    GIT_COMMITTER_DATE: '1700000000 +0100',
  };
  return {
    root,
    env,
    git: (folder, ...args) => execFileSync('git', args, { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' }).trim(),
    write: (path, content, mode) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content, { mode: mode ?? 0o644 });
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/**
 * Hash, mode, time and inode of every entry below a folder, `.git` included. Git touches objects that it would
 * otherwise write again, and the base of a split index: their times are left out.
 */
export function fingerprint(folder: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const visit = (path: Buffer, name: string): void => {
    const stats = lstatSync(path);
    const facts = `${stats.mode.toString(8)} ${stats.uid}`;
    if (stats.isDirectory()) {
      entries[`${name}/`] = facts;
      for (const child of readdirSync(path, { encoding: 'buffer' })) {
        visit(Buffer.concat([path, Buffer.from('/'), child]), `${name}/${child.toString('latin1')}`);
      }
    } else if (stats.isSymbolicLink()) {
      entries[name] = `${facts} -> ${readlinkSync(path)}`;
    } else {
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      const time = /\.git\/(.*\/)?(objects\/|sharedindex)/.test(name) ? 0 : stats.mtimeMs;
      entries[name] = `${facts} ${time} ${stats.ino} ${hash}`;
    }
  };
  visit(Buffer.from(folder), '.');
  return entries;
}

export async function snapshotOf(
  scratch: Scratch,
  folder: string,
  place: string,
  refs: Partial<RefWishes> = {},
): Promise<RepositorySnapshot> {
  const repository = await findSourceRepository(folder, scratch.env, neverAborted);
  if (repository === undefined) throw new Error(`${folder} is no repository`);
  const wishes = { branch: 'main', tag: undefined, defaultBranch: 'main', ...refs };
  return await takeSnapshot(repository, join(scratch.root, place), Promise.resolve(wishes), neverAborted);
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** URL of a path with the job's token. */
  remote(path: string): string;
  /** The job's token dies. */
  endJob(): void;
  readonly isReady: boolean;
}

export const jobToken = 'glcbt-64_secret';

/** The sources part of a coordinator behind a bare HTTP server, with one pipeline (7) and one job. */
export async function startServer(scratch: Scratch, manifest?: SourcesManifest): Promise<TestServer> {
  let isAlive = true;
  let isReady = false;
  const mount = await sourcesServer({ env: scratch.env, trustsLocalFolders: true })({
    dataDir: join(scratch.root, 'coordinator'),
    jobTokenState: (token) =>
      token === jobToken ? { jobId: 1, pipelineId: 7, projectPath: 'group/app', alive: isAlive } : undefined,
    hasPipeline: (id) => id === 7,
    sourcesReady: () => {
      isReady = true;
    },
  });
  const server = createServer((request, response) => {
    mount.handle(request, response).then(
      (answered) => {
        if (!answered) response.writeHead(404).end();
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  if (manifest !== undefined) {
    const answer = await fetch(`${url}/api/millrace/v1/pipelines/7/sources`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(manifest),
    });
    if (answer.status !== 201) throw new Error(await answer.text());
  }
  return {
    url,
    remote: (path) => `http://gitlab-ci-token:${jobToken}@127.0.0.1:${port}/${path}`,
    endJob: () => {
      isAlive = false;
    },
    get isReady() {
      return isReady;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
