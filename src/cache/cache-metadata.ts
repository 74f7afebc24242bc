import { dirname, join } from 'node:path';
import * as z from 'zod';
import { ConfigError } from '../lib/errors.ts';
import { replaceTextFile } from '../platform/staged-file.ts';

export type CacheMetadata = Readonly<Record<string, string>>;

/**
 * Reads the metadata that the manager sends along (a JSON object of texts); empty means none.
 * @throws ConfigError for anything else.
 */
export function parseCacheMetadata(text: string): CacheMetadata {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError('the cache metadata (CACHE_METADATA) is no JSON', { cause: error });
  }
  const parsed = z.record(z.string(), z.string()).safeParse(value);
  if (!parsed.success) throw new ConfigError('the cache metadata (CACHE_METADATA) is no JSON object of texts');
  return parsed.data;
}

/** Metadata an object store keeps with an object: headers `x-<vendor>-meta-<key>`. */
export function metadataFromHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): CacheMetadata {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = /^x-[^-]+-meta-(.+)$/i.exec(name)?.[1];
    if (key !== undefined && value !== undefined) metadata[key.toLowerCase()] = [value].flat().join(', ');
  }
  return metadata;
}

/** Writes `metadata.json` beside an archive, keys in lower case. */
export async function writeCacheMetadata(archivePath: string, metadata: CacheMetadata): Promise<void> {
  const lowered = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value]));
  await replaceTextFile(join(dirname(archivePath), 'metadata.json'), JSON.stringify(lowered), 0o640);
}
