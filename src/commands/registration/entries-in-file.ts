import type { TomlEditor } from '../../config/edit/toml-editor.ts';

/** What identifies a `[[runners]]` entry in the text of config.toml, as it is written there. */
export interface WrittenEntry {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly tokenFile: string;
}

/** The entries of a file, in its order. */
export function writtenEntries(editor: TomlEditor): readonly WrittenEntry[] {
  const runners = member(editor.value(), 'runners');
  if (!Array.isArray(runners)) return [];
  return runners.map((runner: unknown) => ({
    name: textOf(runner, 'name'),
    url: textOf(runner, 'url'),
    token: textOf(runner, 'token'),
    tokenFile: textOf(runner, 'token_file'),
  }));
}

/** Where an entry stands now; others may have been added or removed since it was read. */
export function positionsOf(editor: TomlEditor, wanted: WrittenEntry): readonly number[] {
  return writtenEntries(editor).flatMap((entry, index) => (isSame(entry, wanted) ? [index] : []));
}

function isSame(left: WrittenEntry, right: WrittenEntry): boolean {
  return (
    left.name === right.name &&
    left.url === right.url &&
    left.token === right.token &&
    left.tokenFile === right.tokenFile
  );
}

function textOf(table: unknown, key: string): string {
  const value = member(table, key);
  return typeof value === 'string' ? value : '';
}

function member(table: unknown, key: string): unknown {
  if (typeof table !== 'object' || table === null) return undefined;
  const entries = Object.entries(table);
  const found = entries.find(([name]) => name === key) ?? entries.find(([name]) => name.toLowerCase() === key);
  return found?.[1];
}
