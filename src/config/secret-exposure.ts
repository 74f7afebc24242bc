import { exposureOf } from '../platform/file-exposure.ts';
import type { ConfigNote } from './config-notes.ts';
import type { RunnerConfig } from './runner-config.ts';

/** A warning for every file with secrets that others than its owner can read. */
export async function exposureNotes(
  configPath: string,
  hasSecrets: boolean,
  runners: readonly RunnerConfig[],
): Promise<readonly ConfigNote[]> {
  const tokenFiles = runners.flatMap(({ tokenSource }) => (tokenSource?.kind === 'file' ? [tokenSource.path] : []));
  const paths = new Set([...(hasSecrets ? [configPath] : []), ...tokenFiles]);
  const notes = await Promise.all([...paths].map(noteOf));
  return notes.flat();
}

async function noteOf(path: string): Promise<readonly ConfigNote[]> {
  const readers = await exposureOf(path);
  if (readers === undefined) return [];
  return [
    {
      level: 'warn',
      message: 'A file with secrets can be read by others than its owner: chmod 600 closes it',
      fields: { path, readable_by: readers },
    },
  ];
}
