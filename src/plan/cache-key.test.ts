import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dockerTraits, payloadFixture, planRequestFixture, runnerFixture } from '../../test/support/plan-fixtures.ts';
import { sanitizeCacheKey } from './cache-key.ts';
import { planBuild } from './plan-build.ts';

describe('sanitizeCacheKey', () => {
  it.each([
    ['a/../b', 'b'],
    ['../../x', 'x'],
    ['a/b/ ', 'a/b'],
    [String.raw`foo/ / \ `, 'foo'],
    ['foo/ /bar', 'foo/ /bar'],
    ['...', '...'],
    ['.. ', ''],
    ['a%2f..%2Fb', 'b'],
    ['%2E%2e/x', 'x'],
    ['a%5cb', 'a%5cb'],
    ['/', ''],
    ['//a//b', 'a/b'],
  ])('%j → %j', (raw, expected) => {
    expect(sanitizeCacheKey(raw)).toBe(expected);
  });

  it('never leads out of its folder', () => {
    assert(
      property(string({ unit: 'binary' }), string(), (a, b) => {
        const key = sanitizeCacheKey(`${a}/.. /${b}..\\%2e%2E/ ..`);
        expect(key.split('/')).not.toContain('..');
        expect(key.startsWith('/')).toBe(false);
        expect(sanitizeCacheKey(key)).toBe(key);
      }),
    );
  });
});

describe('cache archives', () => {
  function stages(cache: readonly object[], flags: Record<string, boolean> = {}) {
    const payload = payloadFixture({ cache, job_info: { ...payloadFixture().job_info, name: 'build: 1/2' } });
    const request = planRequestFixture({
      payload,
      traits: dockerTraits,
      runner: runnerFixture({ featureFlags: flags }),
    });
    return planBuild(request).stages;
  }

  function texts(node: unknown): readonly string[] {
    if (typeof node === 'string') return [node];
    return typeof node === 'object' && node !== null ? Object.values(node).flatMap(texts) : [];
  }

  it('are found from the project directory, by job and ref where there is no key', () => {
    const found = texts(stages([{ paths: ['x'] }]).restoreCache);
    expect(found).toContain('../../cache/group/demo/build: 1/2/main/cache.zip'.replace('../../', '../../../'));
    expect(found).toContain('Checking cache for build: 1/2/main...');
  });

  it('are hashed where the flag says so, the other name stays known', () => {
    const hash = /\/[0-9a-f]{64}\/cache\.zip$/;
    const off = texts(stages([{ key: 'k', paths: ['x'] }]).archiveCacheOnSuccess);
    const on = texts(stages([{ key: '../k', paths: ['x'] }], { FF_HASH_CACHE_KEYS: true }).archiveCacheOnSuccess);
    const after = (list: readonly string[], option: string) => list[list.indexOf(option) + 1];
    expect(after(off, '--file')).toBe('../../../cache/group/demo/k/cache.zip');
    expect(after(off, '--alternate-file')).toMatch(hash);
    expect(after(on, '--file')).toMatch(hash);
    expect(after(on, '--alternate-file')).toBe('../../../cache/group/demo/k/cache.zip');
    expect(on).toContain('Creating cache ../k...');
  });

  it('are not made without a key that is left', () => {
    const { restoreCache, archiveCacheOnSuccess } = stages([{ key: '/', paths: ['x'] }]);
    expect(texts(restoreCache)).toContain('Skipping cache extraction due to empty cache key');
    expect(texts(restoreCache)).toContain('cache key "/" could not be sanitized');
    expect(texts(archiveCacheOnSuccess)).toContain('Skipping cache archiving due to empty cache key');
  });

  it('carry their key as metadata no reader expands', () => {
    const written = texts(stages([{ key: 'a"$$x\\b', paths: ['x'] }]).archiveCacheOnSuccess).find((text) =>
      text.startsWith('CACHE_METADATA='),
    );
    const value = JSON.parse(written?.slice('CACHE_METADATA='.length).trim() ?? '') as string;
    expect(written).not.toContain('$');
    expect(JSON.parse(value)).toEqual({ cachekey: 'a"$x/b' });
  });
});
