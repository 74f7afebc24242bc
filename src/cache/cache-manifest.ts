import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { pathBytes, sortByPath } from '../archive/archive-path.ts';
import type { ExtractedEntry } from '../archive/extract/extraction.ts';
import type { SelectedEntry } from '../archive/selection/selected-entry.ts';
import { createStagedFile, inspectFile, readTextFile } from '../platform/staged-file.ts';

/**
 * What a local cache archive holds, so that the next job can tell whether anything changed: additions, deletions and
 * changed files alike. Lies beside the archive and is only good for exactly that archive.
 */
const manifestSchema = z.object({
  version: z.literal(1),
  archive: z.object({ sizeBytes: z.number(), modifiedMs: z.number() }),
  content: z.string(),
});

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

/** Whether an archive is known to hold content with this digest. */
export async function isRecordedContent(archivePath: string, digest: string): Promise<boolean> {
  const facts = inspectFile(archivePath);
  const text = await readTextFile(manifestPath(archivePath));
  if (facts === undefined || text === undefined) return false;
  const manifest = manifestSchema.safeParse(parseJson(text)).data;
  return (
    manifest?.content === digest &&
    manifest.archive.sizeBytes === facts.sizeBytes &&
    manifest.archive.modifiedMs === facts.modifiedMs
  );
}

/** Notes what an archive holds. */
export async function recordContent(archivePath: string, digest: string): Promise<void> {
  const facts = inspectFile(archivePath);
  if (facts === undefined) return;
  const file = await createStagedFile(dirname(archivePath), 'manifest_');
  try {
    await file.write(Buffer.from(JSON.stringify({ version: 1, archive: facts, content: digest })));
    await file.commit(manifestPath(archivePath));
  } finally {
    await file.discard();
  }
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
