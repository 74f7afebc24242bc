import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runHelper } from '../integration/artifacts/fixture.ts';
import { type Cut, type CutServer, startCutServer } from '../support/cut-server.ts';

/**
 * Transfers that are cut at random points, by the network, by a full disk and by the death of the helper: each ends in
 * success or in a clear failure that leaves what was there, and the next one succeeds.
 */
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const seed = Number(process.env['MILLRACE_TEST_SEED'] ?? '20261124');
const pointsEach = 50;
const largest = 1_600_000;

let server: CutServer;
let base: string;
let project: string;
let cacheFile: string;
/** Two versions of the one large file, and each packed by the helper. */
const versions = { old: randomBytes(largest), next: randomBytes(largest) };
const archives = { old: Buffer.alloc(0), next: Buffer.alloc(0) };

beforeAll(async () => {
  await open();
  for (const version of ['old', 'next'] as const) {
    write(versions[version]);
    expect((await inThisProcess(['cache-archiver', '--file', `../${version}/cache.zip`, '--path', 'f'])).exitCode).toBe(
      0,
    );
    archives[version] = readFileSync(join(base, version, 'cache.zip'));
  }
  await close();
});
beforeEach(open);
afterEach(close);

async function open(): Promise<void> {
  server = await startCutServer();
  base = realpathSync(mkdtempSync(join(tmpdir(), 'cut-')));
  project = join(base, 'project');
  cacheFile = join(base, 'cache/key/cache.zip');
  mkdirSync(join(base, 'staging'));
  mkdirSync(project);
}

async function close(): Promise<void> {
  await server.close();
  rmSync(base, { recursive: true, force: true });
}

interface Run {
  readonly exitCode: number | null;
  readonly log: string;
}

interface HelperSettings {
  /** Largest file that may be written, in bytes. */
  readonly fileLimit?: number | undefined;
  /** Told of the process's id. */
  readonly started?: (kill: () => void) => void;
}

function environment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: base,
    TMPDIR: join(base, 'staging'),
    CI_SERVER_URL: server.url,
    CI_JOB_TOKEN: 'token',
    CI_JOB_ID: '7',
    CACHE_COMPRESSION_FORMAT: 'zip',
  };
}

async function inThisProcess([name = '', ...argv]: readonly string[]): Promise<Run> {
  const { exitCode, stderr } = await runHelper(name, argv, project, environment());
  return { exitCode, log: stderr };
}

/** The helper as a process of its own: it can be killed and limited. */
function asProcess(argv: readonly string[], { fileLimit, started }: HelperSettings = {}): Promise<Run> {
  const limit = fileLimit === undefined ? 'unlimited' : String(Math.floor(fileLimit / 1024));
  const script = `ulimit -f ${limit}; exec "$@"`;
  const command = ['-c', script, 'bash', process.execPath, main, ...argv];
  const child = spawn('bash', command, { cwd: project, env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
  started?.(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (data: Buffer) => {
    log += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, log }));
  });
}

const commands = {
  'cache down': () => ['cache-extractor', '--file', '../cache/key/cache.zip', '--url', `${server.url}/cache`],
  'cache up': () => [
    'cache-archiver',
    '--file',
    '../cache/key/cache.zip',
    '--url',
    `${server.url}/cache`,
    '--path',
    'f',
  ],
  'artifacts down': () => ['artifacts-downloader'],
  'artifacts up': () => ['artifacts-uploader', '--path', 'f'],
} as const;
type Direction = keyof typeof commands;

const artifactsPath = '/api/v4/jobs/7/artifacts';

function write(content: Buffer): void {
  writeFileSync(join(project, 'f'), content);
}

function read(): Buffer {
  return readFileSync(join(project, 'f'));
}

/** A cache of the old version, there and at the server. */
function putOldCache(): void {
  mkdirSync(dirname(cacheFile), { recursive: true });
  writeFileSync(cacheFile, archives.old);
  utimesSync(cacheFile, 1_600_000_000, 1_600_000_000);
  server.objects.set('/cache', { content: archives.old, etag: '"old"' });
  write(versions.old);
}

interface Point {
  readonly name: string;
  readonly cuts: readonly Exclude<Cut, { readonly kind: 'halted' }>[];
  /** The helper dies at this byte. */
  readonly dieAt?: number;
  readonly fileLimit?: number;
  readonly argv: readonly string[];
}

/** Always the same sequence for a seed. */
function randomSource(start: string): (below: number) => number {
  let counter = 0;
  return (below) => {
    counter += 1;
    return createHash('sha256').update(`${start}/${counter}`).digest().readUInt32LE(0) % below;
  };
}

function pointsFor(direction: Direction): readonly Point[] {
  const random = randomSource(`${seed}/${direction}`);
  return Array.from({ length: pointsEach }, (_, index): Point => {
    const pieces =
      direction === 'cache down' && random(2) === 1 ? ['--chunk-size', String(50_000 + random(400_000))] : [];
    const wait = direction === 'artifacts up' ? [] : ['--retry-time', '1ms'];
    const argv = [...pieces, ...wait];
    const atByte = random(largest);
    const name = (what: string): string => `${index}: ${what}${pieces.length > 0 ? ` in pieces of ${pieces[1]}` : ''}`;
    switch (random(6)) {
      case 0:
        return { name: name(`killed at byte ${atByte}`), cuts: [], dieAt: atByte, argv };
      case 1: {
        const fileLimit = 1024 * (1 + random(largest / 1024));
        return { name: name(`files of at most ${fileLimit} bytes`), cuts: [], fileLimit, argv };
      }
      case 2:
        return { name: name('slow'), cuts: [{ kind: 'slow' }, { kind: 'slow' }], argv };
      case 3: {
        const [status, isEarly] = [[503, 500, 502][random(3)] ?? 503, random(2) === 1];
        const cuts = Array.from({ length: 1 + random(2) }, () => ({ kind: 'refused' as const, status, isEarly }));
        return { name: name(`${cuts.length} × ${status}${isEarly ? ' at once' : ''}`), cuts, argv };
      }
      default: {
        const kind = random(2) === 1 ? ('reset' as const) : ('closed' as const);
        const cuts = Array.from({ length: 1 + random(3) }, () => ({ kind, atByte: random(largest) }));
        return { name: name(`${kind} at ${cuts.map((cut) => cut.atByte).join(', ')}`), cuts, argv };
      }
    }
  });
}

async function runCut(direction: Direction, { cuts, dieAt, fileLimit, argv }: Point): Promise<Run> {
  let kill = (): void => {};
  const started = (end: () => void): void => {
    kill = end;
  };
  server.cut(dieAt === undefined ? cuts : [{ kind: 'halted', atByte: dieAt, reached: () => kill() }]);
  const command = [...commands[direction](), ...argv];
  const needsProcess = dieAt !== undefined || fileLimit !== undefined;
  const run = await (needsProcess ? asProcess(command, { fileLimit, started }) : inThisProcess(command));
  server.cut([]);
  // Only an upload of artifacts needs no file.
  if (fileLimit !== undefined && direction !== 'artifacts up') expect(run.exitCode).not.toBe(0);
  return run;
}

/** A failure has to say why; a killed process cannot. */
function expectClearFailure(run: Run, point: Point): void {
  if (point.dieAt !== undefined) expect(run.exitCode).toBeNull();
  else {
    expect(run.exitCode).toBe(1);
    expect(run.log).toMatch(/(?:FATAL|WARNING): \S.*\n$/);
    expect(run.log).not.toMatch(/\n\s+at .*\.ts:\d+/);
  }
}

/** What is in an archive. */
async function contentOf(archive: Buffer): Promise<Buffer> {
  const target = mkdtempSync(join(base, 'check-'));
  writeFileSync(`${target}.zip`, archive);
  const run = await runHelper('cache-extractor', ['--file', `${target}.zip`], target, environment());
  expect(run.exitCode).toBe(0);
  return readFileSync(join(target, 'f'));
}

function remote(path: string): Buffer {
  return server.objects.get(path)?.content ?? Buffer.alloc(0);
}

describe(`a cache download that is cut (seed ${seed})`, () => {
  it.each(pointsFor('cache down'))('$name', async (point) => {
    putOldCache();
    server.objects.set('/cache', { content: archives.next, etag: '"next"' });
    const run = await runCut('cache down', point);
    if (run.exitCode !== 0) {
      expectClearFailure(run, point);
      expect(read().equals(versions.old)).toBe(true);
      expect(readFileSync(cacheFile).equals(archives.old)).toBe(true);
      expect((await inThisProcess(commands['cache down']())).exitCode).toBe(0);
    }
    expect(read().equals(versions.next)).toBe(true);
    expect(readFileSync(cacheFile).equals(archives.next)).toBe(true);
  });
});

describe(`a cache upload that is cut (seed ${seed})`, () => {
  it.each(pointsFor('cache up'))('$name', async (point) => {
    putOldCache();
    write(versions.next);
    const run = await runCut('cache up', point);
    const local = readFileSync(cacheFile);
    if (run.exitCode !== 0) {
      expectClearFailure(run, point);
      expect(remote('/cache').equals(archives.old)).toBe(true);
      // Where the archive could not be written the old one stays, else the new one is there whole.
      if (point.fileLimit !== undefined) expect(local.equals(archives.old)).toBe(true);
      else expect((await contentOf(local)).equals(versions.next)).toBe(true);
      expect((await inThisProcess(commands['cache up']())).exitCode).toBe(0);
    }
    expect(remote('/cache').equals(readFileSync(cacheFile))).toBe(true);
    expect((await contentOf(remote('/cache'))).equals(versions.next)).toBe(true);
  });

  it('does not harm the archive that is there when the helper dies while it packs', async () => {
    putOldCache();
    write(randomBytes(30 * largest));
    const folder = dirname(cacheFile);
    const run = await asProcess(commands['cache up'](), {
      started: (kill) => {
        const watcher = watch(folder, () => {
          if (!readdirSync(folder).some((name) => name.startsWith('archive_'))) return;
          watcher.close();
          kill();
        });
      },
    });
    expect(run.exitCode).toBeNull();
    expect(readFileSync(cacheFile).equals(archives.old)).toBe(true);
  });
});

describe(`an artifact download that is cut (seed ${seed})`, () => {
  it.each(pointsFor('artifacts down'))('$name', async (point) => {
    server.objects.set(artifactsPath, { content: archives.next, etag: '"next"' });
    write(versions.old);
    const run = await runCut('artifacts down', point);
    if (run.exitCode !== 0) {
      expectClearFailure(run, point);
      expect(read().equals(versions.old)).toBe(true);
      expect((await inThisProcess(commands['artifacts down']())).exitCode).toBe(0);
    }
    expect(read().equals(versions.next)).toBe(true);
    if (point.dieAt === undefined) expect(readdirSync(join(base, 'staging'))).toEqual([]);
  });
});

describe(`an artifact upload that is cut (seed ${seed})`, () => {
  it.each(pointsFor('artifacts up'))('$name', async (point) => {
    write(versions.next);
    const run = await runCut('artifacts up', point);
    if (run.exitCode !== 0) {
      expectClearFailure(run, point);
      expect(server.objects.get(artifactsPath)).toBeUndefined();
      expect((await inThisProcess(commands['artifacts up']())).exitCode).toBe(0);
    }
    expect((await contentOf(remote(artifactsPath))).equals(versions.next)).toBe(true);
    expect(readdirSync(join(base, 'staging'))).toEqual([]);
  });
});
