import { describe, expect, it } from 'vitest';
import { dockerTraits, payloadFixture, planRequestFixture, runnerFixture } from '../../test/support/plan-fixtures.ts';
import { recordingLogger } from '../../test/support/recording-logger.ts';
import type { CacheObject, CacheStore } from '../cache/adapters/cache-store.ts';
import { AbortReason } from '../lib/abort.ts';
import { ConfigError, ExternalDependencyError } from '../lib/errors.ts';
import { planBuild } from '../plan/plan-build.ts';
import { publicView } from '../plan/public-view.ts';
import { withCacheAccess } from './cache-access.ts';

const cache = { type: 's3', path: 'pre/fix', shared: false, maxUploadedArchiveSize: 0 };
const s3 = { accessKey: 'the-access-key', secretKey: 'the-secret-key' };

type StageName = 'restoreCache' | 'archiveCacheOnSuccess';

/** What a stage becomes with a store, as text. */
async function completed(
  name: StageName,
  store: CacheStore | Error,
  changes: { readonly cache?: object; readonly entry?: object; readonly signal?: AbortSignal } = {},
) {
  const payload = payloadFixture({ cache: [{ key: 'k', paths: ['x'], ...changes.entry }] });
  const settings = { ...cache, s3: s3 as never, ...changes.cache };
  const runner = runnerFixture({ cache: settings });
  const plan = planBuild(planRequestFixture({ payload, traits: dockerTraits, runner }));
  const stage = plan.stages[name];
  if (stage === undefined) throw new Error(`no ${name}`);
  const { logger, lines } = recordingLogger();
  const stores = {
    storeFor: async () => (store instanceof Error ? await Promise.reject(store) : await Promise.resolve(store)),
  };
  const signal = changes.signal ?? new AbortController().signal;
  const done = await withCacheAccess(stage, { plan, runner, stores, logger }, signal);
  return { plan, stage, text: JSON.stringify(done.operations), lines };
}

function signing(asked: CacheObject[] = []): CacheStore {
  return {
    access: async (object, direction) => {
      asked.push(object);
      const url = `https://store/${object.name}?${direction}`;
      return await Promise.resolve({ kind: 'presigned', url, headUrl: `${url}-head`, headers: { 'x-meta': 'v: 1' } });
    },
  };
}

const direct = (problem?: string): CacheStore => ({
  access: async () =>
    await Promise.resolve({
      kind: 'direct',
      url: 's3://b/k',
      environment: problem === undefined ? { TOKEN: 'a"b' } : {},
      problem,
    }),
});

describe('access to the store of caches', () => {
  it('is no part of a plan, and neither is a credential of the store', async () => {
    const { plan, stage } = await completed('restoreCache', signing());
    const text = JSON.stringify([plan, publicView(plan)]);
    expect(JSON.stringify(stage.operations)).toContain('"op":"cacheTransfer"');
    for (const secret of [...Object.values(s3), 'https://store']) expect(text).not.toContain(secret);
  });

  it('is a signed URL for every key that may be asked for, with that of the other naming', async () => {
    const asked: CacheObject[] = [];
    const { text } = await completed('restoreCache', signing(asked), { entry: { fallback_keys: ['f'] } });
    const name = (key: string): string => `pre/fix/runner/abcdefghi/project/42/${key}`;
    expect(asked.map((object) => object.name)).toEqual(
      expect.arrayContaining([
        name('k'),
        name('f'),
        expect.stringMatching(/project\/42\/([0-9a-f]{2})\/\1[0-9a-f]{62}$/),
      ]),
    );
    expect(asked[0]).toMatchObject({ humanKey: 'k', lifetimeMs: 3_600_000 });
    expect(text).toContain(
      `"--url","https://store/${name('k')}?download","--head-url","https://store/${name('k')}?download-head","--alternate-url"`,
    );
    expect(text).not.toContain('cacheTransfer');
  });

  it('is a signed URL with headers for an upload, and one to look before', async () => {
    const { text } = await completed('archiveCacheOnSuccess', signing(), { cache: { shared: true, path: '' } });
    expect(text).toContain(
      '"--url","https://store/project/42/k?upload","--header","x-meta: v: 1","--check-url","https://store/project/42/k?upload-head","--env-file"',
    );
  });

  it('is a file with credentials that is removed again', async () => {
    const { text } = await completed('restoreCache', direct());
    expect(text).toContain('"--gocloud-url","s3://b/k","--env-file"');
    expect(text).toContain(JSON.stringify('TOKEN="a\\"b"\n'));
    expect(text).toMatch(/"op":"removeFile","path":"[^"]+gitlab_runner_cache_env"/);
  });

  it.each<[StageName, string]>([
    ['restoreCache', 'Failed to obtain environment for cache k: no role'],
    ['archiveCacheOnSuccess', 'Unable to generate cache upload environment: no role'],
  ])('that fails in %s is a warning', async (stage, warning) => {
    expect((await completed(stage, direct('no role'))).text).toContain(warning);
    const store: CacheStore = {
      access: async () => await Promise.reject(new ExternalDependencyError('no role')),
    };
    const { text, lines } = await completed(stage, store);
    expect(text).toContain(warning);
    expect(lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it('of a store that cannot be made is told once', async () => {
    const problem = new ConfigError('missing S3 configuration');
    const { text, lines } = await completed('restoreCache', problem, { entry: { fallback_keys: ['f'] } });
    expect(text.split('The cache store is not used: missing S3 configuration')).toHaveLength(2);
    expect(lines.map(({ message }) => message)).toContain('Could not create cache adapter');
  });

  it('ends with the job', async () => {
    const signal = AbortSignal.abort(new AbortReason('canceled'));
    const store: CacheStore = { access: async () => await Promise.reject(new AbortReason('canceled')) };
    await expect(completed('restoreCache', store, { signal })).rejects.toThrow(AbortReason);
  });
});
