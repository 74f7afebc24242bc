import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArchiveError } from '../../../src/archive/archive-error.ts';
import { unpackArchive } from '../../../src/archive/unpack.ts';
import { runBuilt } from '../../support/built-program.ts';
import { needs } from '../../support/needs.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { damagedArchive } from './mutations.ts';

const inProcess = 100_000;
const throughProgram = 500;
const limits = { maxEntries: 1000, maxTotalBytes: 10_000_000 };

let base: string;
let target: string;
let archive: string;

beforeAll(() => {
  base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fuzzed-'));
  target = join(base, 'target');
  archive = join(base, 'archive');
  mkdirSync(target);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function expectNothingOutside(what: string): void {
  const here = readdirSync(base).filter((name) => name !== 'manifest.json');
  if (here.join(' ') !== 'archive target') expect.fail(`${what} wrote outside of the target: ${here.join(' ')}`);
}

/** @returns whether it was empty. */
function emptyTarget(): boolean {
  const names = readdirSync(target);
  if (names.length === 0) return true;
  rmSync(target, { recursive: true });
  mkdirSync(target);
  return false;
}

describe('damaged archives', () => {
  it(`${inProcess} in one process: unpacked or refused, and nothing of a refused one is left`, {
    timeout: 1_800_000,
  }, async () => {
    const signal = new AbortController().signal;
    const counts = { unpacked: 0, refused: 0 };
    for (let seed = 1; seed <= inProcess; seed += 1) {
      writeFileSync(archive, damagedArchive(randomNumbers(seed)));
      try {
        await unpackArchive({ path: archive, target, limits, concurrency: 1 }, signal);
        counts.unpacked += 1;
        emptyTarget();
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw new Error(`archive ${seed} is no ArchiveError`, { cause: error });
        counts.refused += 1;
        if (!emptyTarget()) expect.fail(`archive ${seed} was refused, but left something: ${error.message}`);
      }
      expectNothingOutside(`archive ${seed}`);
    }
    // Both ways are taken, or the damage would be too small or too large to find anything.
    expect(counts.unpacked).toBeGreaterThan(inProcess / 50);
    expect(counts.refused).toBeGreaterThan(inProcess / 2);
  });

  it.skipIf(!needs('binary'))(`${throughProgram} through the helper program`, { timeout: 1_800_000 }, async () => {
    const env = { PATH: process.env['PATH'], MILLRACE_EXTRACT_MAX_BYTES: '10000000' };
    for (let seed = 1; seed <= throughProgram; seed += 1) {
      writeFileSync(archive, damagedArchive(randomNumbers(-seed)));
      const { code, stderr } = await runBuilt(['cache-extractor', '--file', archive], { cwd: target, env });
      const isEmpty = emptyTarget();
      if (code !== 0) {
        // One line of its own, no stack of ours.
        expect(`${seed} ${code} ${isEmpty} ${/FATAL: /.test(stderr)} ${/\n\s+at /.test(stderr)}`).toBe(
          `${seed} 1 true true false`,
        );
      }
      expectNothingOutside(`archive -${seed}`);
    }
  });
});
