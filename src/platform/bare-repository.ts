import { join } from 'node:path';
import { makeFolder, writeText } from './source-files.ts';

export type ObjectFormat = 'sha1' | 'sha256';

/** A ref that jobs can fetch. */
export interface ServedRef {
  readonly name: string;
  readonly sha: string;
}

/** What a served repository shows of itself. */
export interface PublishedSnapshot {
  /** The commit that jobs check out. */
  readonly sha: string;
  readonly refs: readonly ServedRef[];
  /** Commits at the cut of a shallow history. */
  readonly shallowCommits: readonly string[];
}

/** What a client may ask for is checked by the server in front; speed matters here more than size. */
const servedSettings = `[uploadpack]
	allowTipSHA1InWant = true
	allowReachableSHA1InWant = true
	allowFilter = false
[pack]
	window = 0
	compression = 1
[gc]
	auto = 0
`;

const coreSettings: Readonly<Record<ObjectFormat, string>> = {
  sha1: '[core]\n\trepositoryformatversion = 0\n\tbare = true\n',
  sha256: '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n',
};

/**
 * Makes the bare repository that jobs fetch a snapshot from. It borrows the user's objects; the server hands out
 * none that the snapshot's history does not hold.
 * @param objectsDirectory the user's, undefined where the new repository has all of its own.
 */
export async function initServedRepository(
  directory: string,
  objectFormat: ObjectFormat,
  objectsDirectory: string | undefined,
): Promise<void> {
  const folders = ['objects/info', 'objects/pack', 'refs/heads', 'lfs'];
  await Promise.all(folders.map(async (folder) => await makeFolder(join(directory, folder))));
  const alternates = objectsDirectory === undefined ? '' : `${quotePath(objectsDirectory)}\n`;
  await Promise.all([
    writeText(join(directory, 'config'), `${coreSettings[objectFormat]}${servedSettings}`),
    writeText(join(directory, 'HEAD'), 'ref: refs/heads/none\n'),
    writeText(join(directory, 'objects', 'info', 'alternates'), alternates),
  ]);
}

/** Writes the refs, HEAD and the cut of a shallow source, once the snapshot is made. */
export async function publishSnapshot(directory: string, snapshot: PublishedSnapshot): Promise<void> {
  const { sha, refs, shallowCommits } = snapshot;
  const head = refs.find((ref) => ref.name.startsWith('refs/heads/') && ref.sha === sha);
  const packed = refs.map((ref) => `${ref.sha} ${ref.name}\n`);
  await writeText(join(directory, 'packed-refs'), packed.join(''));
  if (shallowCommits.length > 0) await writeText(join(directory, 'shallow'), `${shallowCommits.join('\n')}\n`);
  await writeText(join(directory, 'HEAD'), head === undefined ? `${sha}\n` : `ref: ${head.name}\n`);
}

/** A line of an alternates file: a path that begins like a quoted one or a comment, or spans lines, is quoted. */
function quotePath(path: string): string {
  if (!/^["#]|[\n\\]/.test(path)) return path;
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
