import { type Entry, fieldsOf } from '../yaml/reader.ts';

/** `pages`: which folder would be published. */
export interface PagesConfig {
  readonly publish: string;
}

const KEYS = new Set(['publish', 'path_prefix', 'expire_in']);
const DEFAULT_FOLDER = 'public';

/** Reads `pages` of a job; undefined if it is switched off. `publish` is the deprecated key beside it. */
export function readPages(entry: Entry, publish: string | undefined): PagesConfig | undefined {
  const { node } = entry;
  if (node.kind === 'scalar' && node.type === 'boolean') {
    return node.text === 'true' ? { publish: publish ?? DEFAULT_FOLDER } : undefined;
  }
  const fields = fieldsOf(entry, KEYS, 'should be a hash or a boolean value');
  if (fields === undefined) return undefined;
  fields.string('path_prefix');
  fields.durationOrNever('expire_in');
  const folder = fields.string('publish');
  if (folder !== undefined && publish !== undefined) {
    const job = entry.location.split(':')[1] ?? '';
    entry.problems.add(`${job} job: use either ${job}:publish or ${job}:pages:publish`, fields.at('publish'));
  }
  return { publish: folder ?? publish ?? DEFAULT_FOLDER };
}
