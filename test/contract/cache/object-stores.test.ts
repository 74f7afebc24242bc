import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { managerPorts } from '../../../src/cache/adapters/manager-ports.ts';
import { ObjectChangedError, ObjectNotFoundError } from '../../../src/cache/object-errors.ts';
import type { ObjectBytes, ObjectContent, ObjectStore } from '../../../src/cache/object-store.ts';
import { objectStoreOpeners } from '../../../src/commands/helper/object-stores.ts';
import {
  azuriteAccount,
  minioKeys,
  type RunningStore,
  startAzurite,
  startFakeGcs,
  startMinio,
} from '../../services/object-store-programs.ts';
import { createTestAuthority } from '../../support/certificates.ts';
import { needs, type RequirementName } from '../../support/needs.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

interface StartedPlace {
  readonly running: RunningStore;
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
}

const bucket = 'runner-cache';

const places: readonly {
  readonly name: string;
  readonly need: RequirementName;
  readonly start: (folder: string) => Promise<StartedPlace>;
}[] = [
  {
    name: 's3://',
    need: 'minio',
    start: async (folder) => {
      const running = await startMinio(folder, bucket);
      const endpoint = encodeURIComponent(`http://127.0.0.1:${running.port}`);
      return {
        running,
        url: `s3://${bucket}/x?awssdk=v2&region=us-east-1&use_path_style=true&endpoint=${endpoint}`,
        environment: { AWS_ACCESS_KEY_ID: minioKeys.accessKey, AWS_SECRET_ACCESS_KEY: minioKeys.secretKey },
      };
    },
  },
  {
    name: 'azblob:// with the account’s key',
    need: 'azurite',
    start: async (folder) => {
      const authority = createTestAuthority(folder, 'azure');
      const running = await startAzurite(folder, bucket, authority);
      return {
        running,
        url: `azblob://${bucket}/x`,
        environment: {
          SSL_CERT_FILE: authority.certFile,
          AZURE_STORAGE_ACCOUNT: azuriteAccount.name,
          AZURE_STORAGE_DOMAIN: `127.0.0.1:${running.port}`,
          AZURE_STORAGE_KEY: azuriteAccount.key,
        },
      };
    },
  },
  {
    name: 'gs://',
    need: 'fake-gcs-server',
    start: async (folder) => {
      const authority = createTestAuthority(folder, 'google');
      const running = await startFakeGcs(folder, bucket, authority);
      return {
        running,
        url: `gs://${bucket}/x`,
        environment: { SSL_CERT_FILE: authority.certFile, STORAGE_EMULATOR_HOST: `https://127.0.0.1:${running.port}` },
      };
    },
  },
];

const signal = new AbortController().signal;
const properties = { contentType: 'application/zip', metadata: { cachekey: 'ключ a/b' } };

function bytes(content: Buffer): ObjectBytes {
  return {
    sizeBytes: content.length,
    read: async function* () {
      await Promise.resolve();
      yield content;
    },
  };
}

async function read({ body }: ObjectContent): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The port that helper commands reach stores through. */
describe.each(places)('$name for a helper command', ({ need, start }) => {
  const isThere = needs(need) && needs('openssl');
  let folder: string;
  let place: StartedPlace;
  let store: ObjectStore;
  beforeAll(async () => {
    if (!isThere) return;
    folder = mkdtempSync(join(tmpdir(), 'object-store-'));
    place = await start(folder);
    store = await open(place.environment);
  });
  afterAll(async () => {
    await place?.running.process.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function open(environment: Readonly<Record<string, string>>): Promise<ObjectStore> {
    const { logger } = recordingLogger();
    const { http } = managerPorts({ environment, logger, now: Date.now });
    const url = new URL(place.url);
    const opener = await objectStoreOpeners[url.protocol.slice(0, -1)]?.();
    if (opener === undefined) throw new Error(`nothing opens ${place.url}`);
    return await opener(url, { http, log: logger, environment, now: Date.now, timeoutMs: 30_000 }, signal);
  }

  it.runIf(isThere)('knows nothing of an object that is not there', async () => {
    expect(await store.head('absent', signal)).toBeUndefined();
    await expect(store.get('absent', {}, signal)).rejects.toThrow(ObjectNotFoundError);
  });

  it.runIf(isThere)('keeps an object whole, with its metadata', async () => {
    const content = randomBytes(100_000);
    const name = 'project/1/a b+c/ü';
    await store.put(name, bytes(content), properties, signal);
    const facts = await store.head(name, signal);
    expect(facts).toMatchObject({ sizeBytes: content.length, metadata: properties.metadata });
    expect(Math.abs((facts?.modifiedMs ?? 0) - Date.now())).toBeLessThan(120_000);
    const got = await store.get(name, {}, signal);
    expect(got.facts).toMatchObject({ sizeBytes: content.length, metadata: properties.metadata, etag: facts?.etag });
    expect((await read(got)).equals(content)).toBe(true);
  });

  it.runIf(isThere)('gives a part, and refuses one of another object', async () => {
    const content = randomBytes(50_000);
    await store.put('part', bytes(content), properties, signal);
    const etag = (await store.head('part', signal))?.etag ?? '';
    const range = { start: 1_000, end: 20_000 };
    const got = await store.get('part', { range, ifMatch: etag }, signal);
    expect(got.facts.sizeBytes).toBe(content.length);
    expect((await read(got)).equals(content.subarray(range.start, range.end))).toBe(true);
    await store.put('part', bytes(randomBytes(50_000)), properties, signal);
    await expect(store.get('part', { range, ifMatch: etag }, signal)).rejects.toThrow(ObjectChangedError);
  });

  it.runIf(isThere)('puts an object together from parts, and shows nothing before', async () => {
    const rules = store.parts;
    if (rules === undefined) throw new Error('every store takes parts');
    const partBytes = Math.max(rules.unitBytes, 5 * 1024 * 1024);
    const content = randomBytes(2 * partBytes + 12_345);
    const upload = await store.startParts('parts', properties, signal);
    const receipts: string[] = [];
    for (let number = 1; number <= 3; number += 1) {
      const piece = content.subarray((number - 1) * partBytes, number * partBytes);
      receipts.push(await upload.putPart(number, bytes(piece), signal));
    }
    expect(await store.head('parts', signal)).toBeUndefined();
    await upload.complete(receipts, signal);
    expect(await store.head('parts', signal)).toMatchObject({
      sizeBytes: content.length,
      metadata: properties.metadata,
    });
    expect((await read(await store.get('parts', {}, signal))).equals(content)).toBe(true);
  });

  it.runIf(isThere)('gives up an upload in parts', async () => {
    const upload = await store.startParts('given-up', properties, signal);
    await upload.putPart(1, bytes(randomBytes(5 * 1024 * 1024)), signal);
    await upload.abort(signal);
    expect(await store.head('given-up', signal)).toBeUndefined();
  });

  // That one checks no credentials.
  if (need !== 'fake-gcs-server') {
    it.runIf(isThere)('says what to check when it is refused', async () => {
      const wrong = {
        ...place.environment,
        AWS_SECRET_ACCESS_KEY: 'wrong',
        AZURE_STORAGE_KEY: Buffer.from('wrong').toString('base64'),
      };
      const refused = (await open(wrong)).put('refused', bytes(Buffer.from('x')), properties, signal);
      await expect(refused).rejects.toThrow(/cannot upload the cache to \w+: 40[03] .*; check the /);
    });
  }
});
