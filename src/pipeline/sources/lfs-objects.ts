import { join } from 'node:path';
import { type Git, readGit, splitNul } from '../../platform/run-git.ts';
import { fileSize } from '../../platform/source-files.ts';

/** An LFS object that a file of a commit stands for and that a store holds. */
export interface StoredLfsObject {
  readonly oid: string;
  readonly file: string;
  readonly sizeBytes: number;
}

/** Pointer files are at most this long. */
const longestPointerBytes = 1024;

/** Finds the LFS objects of a commit's files, as far as the stores hold them. */
export async function findLfsObjects(
  git: Git,
  commit: string,
  stores: readonly string[],
  signal: AbortSignal,
): Promise<readonly StoredLfsObject[]> {
  const oids = await readPointers(git, commit, signal);
  const found = await Promise.all([...oids].map(async (oid) => await findInStores(stores, oid)));
  return found.filter((object) => object !== undefined);
}

async function findInStores(stores: readonly string[], oid: string): Promise<StoredLfsObject | undefined> {
  for (const store of stores) {
    const file = join(store, 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    const sizeBytes = await fileSize(file);
    if (sizeBytes !== undefined) return { oid, file, sizeBytes };
  }
  return undefined;
}

async function readPointers(git: Git, commit: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const entries = splitNul(await readGit(git, ['ls-tree', '-r', '-l', '-z', commit], signal));
  const small = entries.flatMap((entry) => {
    const match = /^\d+ blob ([0-9a-f]+) +(\d+)\t/.exec(entry);
    return match?.[1] !== undefined && Number(match[2]) <= longestPointerBytes ? [match[1]] : [];
  });
  if (small.length === 0) return new Set();
  const contents = await readGit(git, ['cat-file', '--batch'], signal, `${[...new Set(small)].join('\n')}\n`);
  const pointers = contents
    .toString('latin1')
    .matchAll(/^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:ext-.*\n)*oid sha256:([0-9a-f]{64})\n/gm);
  return new Set([...pointers].map((match) => match[1] ?? ''));
}
