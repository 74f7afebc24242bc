import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { pathBytes, sortByPath } from '../archive/archive-path.ts';
import type { ExtractedEntry } from '../archive/extract/extraction.ts';
import type { SelectedEntry } from '../archive/selection/selected-entry.ts';
import { type FileFacts, inspectFile, readTextFile, replaceTextFile } from '../platform/staged-file.ts';

/**
 * What a local cache archive holds, so that the next job can tell whether anything changed: additions, deletions and
 * changed files alike; and as what it is known remotely. Lies beside the archive and is only good for exactly that one.
 */
const manifestSchema = z.object({
  version: z.literal(1),
  archive: z.object({ sizeBytes: z.number(), modifiedMs: z.number() }),
  content: z.string().optional(),
  /** The remote object has exactly these bytes; without an entity tag where the store gave none. */
  remote: z.object({ etag: z.string() }).optional(),
});

type Manifest = z.infer<typeof manifestSchema>;

/** An entry's facts that survive archiving and unpacking. */
interface ContentEntry {
  readonly path: string;
  readonly kind: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** The digest of what was selected for archiving. */
export function selectionDigest(entries: readonly SelectedEntry[]): string {
  return contentDigest(entries.map(({ path, facts }) => ({ path, ...facts })));
}

/** The digest of what was unpacked; equals that of the selection it was made from. */
export function extractionDigest(entries: readonly ExtractedEntry[]): string {
  return contentDigest([...entries]);
}

/** Whether what an archive holds is known at all. */
export async function isRecorded(archivePath: string): Promise<boolean> {
  return (await readManifest(archivePath))?.content !== undefined;
}

/** Whether an archive is known to hold content with this digest. */
export async function isRecordedContent(archivePath: string, digest: string): Promise<boolean> {
  return (await readManifest(archivePath))?.content === digest;
}

/** Notes what an archive holds. */
export async function recordContent(archivePath: string, digest: string): Promise<void> {
  await addToManifest(archivePath, { content: digest });
}

/** The remote object that an archive is known to equal; undefined = none is known. */
export async function recordedRemote(archivePath: string): Promise<{ readonly etag: string } | undefined> {
  return (await readManifest(archivePath))?.remote;
}

/**
 * Notes that the remote object has the archive's bytes.
 * @param of the archive that is meant: nothing is noted when another one has taken its place.
 */
export async function recordRemote(archivePath: string, etag: string, of: FileFacts | undefined): Promise<void> {
  const now = inspectFile(archivePath);
  if (now === undefined || now.sizeBytes !== of?.sizeBytes || now.modifiedMs !== of.modifiedMs) return;
  await addToManifest(archivePath, { remote: { etag } });
}

async function addToManifest(archivePath: string, facts: Partial<Manifest>): Promise<void> {
  const archive = inspectFile(archivePath);
  if (archive === undefined) return;
  const manifest: Manifest = { ...(await readManifest(archivePath)), version: 1, archive, ...facts };
  await replaceTextFile(manifestPath(archivePath), JSON.stringify(manifest), 0o600);
}

/** The manifest of the archive as it is now. */
async function readManifest(archivePath: string): Promise<Manifest | undefined> {
  const facts = inspectFile(archivePath);
  const text = await readTextFile(manifestPath(archivePath));
  if (facts === undefined || text === undefined) return undefined;
  const manifest = manifestSchema.safeParse(parseJson(text)).data;
  const isOfThis = manifest?.archive.sizeBytes === facts.sizeBytes && manifest.archive.modifiedMs === facts.modifiedMs;
  return isOfThis ? manifest : undefined;
}

function manifestPath(archivePath: string): string {
  return join(dirname(archivePath), 'manifest.json');
}

function contentDigest(entries: ContentEntry[]): string {
  const hash = createHash('sha256');
  for (const entry of sortByPath(entries)) {
    if (entry.kind === 'special') continue;
    // Directories have no size of their own, links no permissions. Archives keep whole seconds.
    const size = entry.kind === 'directory' ? 0 : entry.sizeBytes;
    const mode = entry.kind === 'symlink' ? 0 : entry.mode & 0o777;
    const seconds = Math.max(0, Math.floor(entry.modifiedMs / 1000));
    hash.update(`${entry.kind} ${mode} ${size} ${seconds} `).update(pathBytes(entry.path)).update('\0');
  }
  return hash.digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
