import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CacheJobOptions, CacheMachine } from './cache-job.ts';
import type { CacheSubject, SubjectTraits } from './subject.ts';

/** What every place for caches has to do, seen from jobs: the real plan, scripts and helper commands. */
export function describeCacheStore(
  name: string,
  traits: SubjectTraits,
  isAvailable: boolean,
  start: (folder: string) => Promise<CacheSubject>,
): void {
  describe.skipIf(!isAvailable)(`caches in ${name}`, () => {
    let folder: string;
    let subject: CacheSubject;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'cache-store-'));
      subject = await start(folder);
    });
    afterAll(async () => {
      await subject?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const machine = (): CacheMachine => new CacheMachine(folder);
    /** Without a store other machines know nothing. */
    const another = (first: CacheMachine): CacheMachine => {
      if (traits.isRemote) return machine();
      rmSync(join(first.project, 'kept'), { recursive: true, force: true });
      return first;
    };
    const job = (key: string, changes: Partial<CacheJobOptions> = {}): CacheJobOptions => ({
      cache: subject.cache,
      environment: subject.environment,
      ...changes,
      entry: { key, ...changes.entry },
    });
    const keep = (at: CacheMachine, content: string | Buffer, path = 'file.txt'): void => {
      const file = join(at.project, 'kept', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    };
    const kept = (at: CacheMachine, path = 'file.txt'): string | undefined => {
      const file = join(at.project, 'kept', path);
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    };

    it('brings back what was saved, with its key as metadata', async () => {
      const first = machine();
      keep(first, 'one');
      keep(first, 'two', 'deep/er.txt');
      const saved = await first.save(job('plain'));
      expect(saved).toContain('Creating cache plain...');
      expect(saved).toContain('Created cache');
      const second = another(first);
      const restored = await second.restore(job('plain'));
      expect(restored).toContain('Checking cache for plain...');
      expect(restored).toContain('Successfully extracted cache');
      expect([kept(second), kept(second, 'deep/er.txt')]).toEqual(['one', 'two']);
      const metadata: unknown = JSON.parse(readFileSync(join(second.localCache('plain'), 'metadata.json'), 'utf8'));
      expect(metadata).toEqual({ cachekey: 'plain' });
      expect(existsSync(`${second.project}.tmp/gitlab_runner_cache_env`)).toBe(false);
    });

    it('has nothing under a key that nobody saved', async () => {
      const restored = await machine().restore(job('nobody'));
      expect(restored).toContain('Failed to extract cache');
      expect(restored).toMatch(/(?:file|Cache file) does not exist/);
    });

    it('takes the first fallback key that has a cache', async () => {
      const first = machine();
      keep(first, 'of the fallback');
      await first.save(job('fall-2'));
      const second = another(first);
      const restored = await second.restore(
        job('fall-0', { entry: { fallback_keys: ['fall-1', 'fall-2', 'fall-3'] } }),
      );
      expect(restored).toContain('Checking cache for fall-2...');
      expect(restored).not.toContain('Checking cache for fall-3...\n\nSuccess');
      expect(kept(second)).toBe('of the fallback');
    });

    it('does what the policy says', async () => {
      const first = machine();
      keep(first, 'x');
      expect(await first.save(job('policy', { entry: { policy: 'pull' } }))).toContain('due to policy');
      expect(await first.restore(job('policy', { entry: { policy: 'push' } }))).toContain('due to policy');
      expect(await another(first).restore(job('policy'))).toContain('Failed to extract cache');
    });

    it.each(['a b/../ключ-鍵', "it's/+100%&=?#;~@:!*()$", 'x'.repeat(200)])('keeps caches under %j', async (key) => {
      const first = machine();
      keep(first, key);
      const saved = await first.save(job(key));
      expect(saved).toContain('Created cache');
      const second = another(first);
      expect(await second.restore(job(key))).toContain('Successfully extracted cache');
      expect(kept(second)).toBe(key);
    });

    it('carries a big archive whole', async () => {
      const first = machine();
      const content = randomBytes(36 * 1024 * 1024);
      keep(first, content, 'big.bin');
      expect(await first.save(job('big'))).toContain('Created cache');
      const second = another(first);
      expect(await second.restore(job('big'))).toContain('Successfully extracted cache');
      expect(readFileSync(join(second.project, 'kept', 'big.bin')).equals(content)).toBe(true);
    });

    it('gives one of two caches that are saved at the same time, whole', async () => {
      const [first, second] = [machine(), machine()];
      const letters = { a: 'a'.repeat(300_000), b: 'b'.repeat(300_000) };
      keep(first, letters.a);
      keep(second, letters.b);
      await Promise.all([first.save(job('both')), second.save(job('both'))]);
      const third = another(first);
      await third.restore(job('both'));
      expect(Object.values(letters)).toContain(kept(third));
    });

    it('uploads what did not change only where it cannot be seen there', async () => {
      const first = machine();
      keep(first, 'same');
      await first.save(job('unchanged'));
      const again = await first.save(job('unchanged'));
      expect(again).toContain('Created cache');
      if (!traits.isRemote) expect(again).toContain('Archive is up to date!');
      else expect(again.includes('skipping upload')).toBe(traits.seesUploaded);
    });

    if (traits.access !== 'direct') {
      it('finds a cache that was saved with the other naming of keys', async () => {
        const first = machine();
        keep(first, 'renamed');
        await first.save(job('migrates'));
        const hashed = { featureFlags: { FF_HASH_CACHE_KEYS: true } };
        const second = another(first);
        if (traits.isRemote) {
          expect(await second.restore(job('migrates', hashed))).toContain('Successfully extracted cache');
          expect(kept(second)).toBe('renamed');
        } else {
          keep(second, 'renamed');
          expect(await second.save(job('migrates', hashed))).toContain('Renamed alternate cache file to primary');
        }
      });
    }

    if (traits.isRemote) {
      it('goes on with the local archive and a warning where the store does not answer', async () => {
        const place = subject.unavailable;
        if (place === undefined) throw new Error('a store can always be unavailable');
        const first = machine();
        keep(first, 'local');
        const saved = await first.save(job('away', place));
        expect(saved).toContain('Failed to create cache');
        expect(existsSync(join(first.localCache('away'), 'cache.zip'))).toBe(true);
        expect(await first.restore(job('away', place))).toContain('Failed to extract cache');
      });
    }

    if (traits.isRemote) {
      it('says what is wrong with credentials', async () => {
        const wrong = subject.wrongCredentials;
        if (wrong === undefined) throw new Error('every store checks credentials');
        const first = machine();
        keep(first, 'x');
        const saved = await first.save(job('wrong', { cache: wrong.cache }));
        expect(saved).toMatch(wrong.message);
      });
    }

    if (traits.accessEnds) {
      it('says so where access is over', async () => {
        if (subject.expiredMessage === undefined) throw new Error('what is the user told?');
        const restored = await machine().restore(job('late', { clockOffsetMs: -7_200_000, timeoutSeconds: 600 }));
        expect(restored).toMatch(subject.expiredMessage);
        expect(restored).toContain('Failed to extract cache');
      });
    }

    it('shows no secret', async () => {
      const first = machine();
      keep(first, 'x');
      const shown = `${await first.save(job('quiet'))}${await first.restore(job('quiet'))}`;
      expect(shown).not.toMatch(/Signature=|sig=|SECRET|secret-of/i);
    });
  });
}
