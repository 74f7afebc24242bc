import { matchKeys } from '../../config/match-keys.ts';
import { readDocument } from '../../config/read-document.ts';
import { fullConfigSchema } from '../../config/sections/full-schema.ts';
import { parseTomlDocument, plainValue } from '../../config/toml-document.ts';
import { CommandError } from '../../lib/errors.ts';
import { readConfigFile } from '../../platform/config-file.ts';
import { type Entry, filledFrom, without } from './entry.ts';
import type { RunnerSession } from './runner-session.ts';

/**
 * Fills an entry from the one `[[runners]]` entry of a template (spec config.md §16). References to the environment
 * stay as they are written.
 * @param fixed keys that were given on the command line.
 * @throws CommandError
 */
export async function filledFromTemplate(
  entry: Entry,
  path: string,
  fixed: ReadonlySet<string>,
  session: RunnerSession,
): Promise<Entry> {
  session.logger.info(`Merging configuration from template file "${path}"`);
  try {
    const template = await readTemplate(path, session);
    return filledFrom(entry, template, (key) => fixed.has(key.join('.')));
  } catch (error) {
    throw new CommandError('Could not handle configuration merging from template file', { cause: error });
  }
}

async function readTemplate(path: string, session: RunnerSession): Promise<Entry> {
  const text = (await readConfigFile(path))?.text ?? '';
  const { notes } = await readDocument(text, path, session.environment.env);
  for (const note of notes) session.logger[note.level](note.message, note.fields);
  const root = plainValue(matchKeys(await parseTomlDocument(text, path), fullConfigSchema), 'marked') as {
    readonly runners?: readonly Entry[];
  };
  const [only, ...others] = root.runners ?? [];
  if (only === undefined || others.length > 0) {
    throw new CommandError('configuration template must contain exactly one [[runners]] entry');
  }
  return without(only, ['token', 'token_file']);
}
