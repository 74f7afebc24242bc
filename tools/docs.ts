// `npm run docs`: makes the generated parts of docs/ anew. With --check: fails when one is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { commandReference } from './docs/command-reference.ts';
import { configurationTables } from './docs/configuration-tables.ts';
import { errorCodeTable } from './docs/error-codes.ts';
import { featureFlagTable } from './docs/feature-flag-table.ts';
import { folderTable } from './docs/folder-table.ts';
import { inRoot } from './run.ts';

/** Page and the name of the generated part in it → what makes the part. */
const parts: readonly {
  readonly page: string;
  readonly part: string;
  readonly make: () => string | Promise<string>;
}[] = [
  { page: 'architecture.md', part: 'folders', make: folderTable },
  { page: 'errors.md', part: 'codes', make: errorCodeTable },
  { page: 'feature-flags.md', part: 'flags', make: featureFlagTable },
  { page: 'configuration.md', part: 'keys', make: configurationTables },
  { page: 'commands.md', part: 'commands', make: commandReference },
];

function replacePart(text: string, page: string, part: string, content: string): string {
  const open = `<!-- generated: ${part} -->`;
  const close = `<!-- end: ${part} -->`;
  const start = text.indexOf(open);
  const end = text.indexOf(close);
  if (start === -1 || end === -1) throw new Error(`docs/${page} has no part "${part}" (${open} … ${close})`);
  return `${text.slice(0, start + open.length)}\n${content.trim()}\n${text.slice(end)}`;
}

const isCheck = process.argv.includes('--check');
for (const { page, part, make } of parts) {
  const path = inRoot('docs', page);
  if (!existsSync(path)) throw new Error(`docs/${page} is missing`);
  const before = readFileSync(path, 'utf8');
  const after = replacePart(before, page, part, await make());
  if (before === after) continue;
  if (isCheck) {
    console.error(`docs/${page}: the part "${part}" is out of date; run npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, after);
    console.log(`docs/${page}: ${part}`);
  }
}
