import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStorePorts } from '../../src/cache/adapters/cache-store.ts';
import { createCacheStores } from '../../src/cache/adapters/cache-stores.ts';
import { managerPorts } from '../../src/cache/adapters/manager-ports.ts';
import { cacheStoreTable } from '../../src/compose.ts';
import type { CacheSubject } from '../contract/cache/subject.ts';
import { azuriteSubject, minioRoleSubject, minioSubject } from '../contract/cache/subjects.ts';
import { needs } from '../support/needs.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { millrace } from '../support/runner-bench.ts';

const run = promisify(execFile);
const peerHelper: readonly string[] = [process.env['MILLRACE_PEER_HELPER'] ?? ''];

const stores: readonly (readonly [string, boolean, (folder: string) => Promise<CacheSubject>])[] = [
  ['signed URLs of S3', needs('minio'), minioSubject],
  ['s3:// with the credentials of a role', needs('minio'), minioRoleSubject],
  ['azblob:// with a token', needs('azurite'), azuriteSubject],
];

/** What the manager hands out is understood by the Go runner's helper too, and both find each other's objects. */
describe.skipIf(!needs('peer-helper')).each(stores)('%s', (_name, isThere, start) => {
  let folder: string;
  let subject: CacheSubject;
  beforeAll(async () => {
    if (!isThere) return;
    folder = mkdtempSync(join(tmpdir(), 'cache-stores-'));
    subject = await start(folder);
  });
  afterAll(async () => {
    if (!isThere) return;
    await subject.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function transfer(
    helper: readonly string[],
    command: 'cache-archiver' | 'cache-extractor',
    object: string,
    project: string,
  ): Promise<void> {
    const { environment } = subject;
    const { logger } = recordingLogger();
    const ports = (): CacheStorePorts => managerPorts({ environment, logger, now: Date.now });
    const store = await createCacheStores(cacheStoreTable, ports).storeFor(subject.cache);
    const direction = command === 'cache-archiver' ? 'upload' : 'download';
    const wanted = { name: object, humanKey: 'key', lifetimeMs: 600_000 };
    const access = await store.access(wanted, direction, new AbortController().signal);
    const place =
      access.kind === 'direct'
        ? ['--gocloud-url', access.url]
        : [
            '--url',
            access.url,
            ...Object.entries(access.headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
          ];
    const [program = '', ...leading] = helper;
    const paths = direction === 'upload' ? ['--path', 'kept'] : [];
    await run(program, [...leading, command, '--file', '../cache/cache.zip', ...place, ...paths], {
      cwd: project,
      env: {
        PATH: process.env['PATH'],
        // The Go runner's helper of the compared version reads only this format without more.
        CACHE_COMPRESSION_FORMAT: 'zip',
        ...environment,
        ...(access.kind === 'direct' ? access.environment : {}),
      },
    });
  }

  function machine(): string {
    const project = join(mkdtempSync(join(folder, 'machine-')), 'project');
    mkdirSync(join(project, 'kept'), { recursive: true });
    return project;
  }

  test.runIf(isThere).each([
    ['ours', 'the peer', millrace().command, peerHelper],
    ['the peer', 'ours', peerHelper, millrace().command],
  ])('what %s saves, %s restores', async (from, _to, saver, restorer) => {
    for (const object of ['project/1/plain', 'project/1/a b+c/ключ']) {
      const [first, second] = [machine(), machine()];
      writeFileSync(join(first, 'kept', 'file'), `${from} ${object}`);
      await transfer(saver, 'cache-archiver', `${object} ${from}`, first);
      await transfer(restorer, 'cache-extractor', `${object} ${from}`, second);
      expect(readFileSync(join(second, 'kept', 'file'), 'utf8')).toBe(`${from} ${object}`);
    }
  });
});
