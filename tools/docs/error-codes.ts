import { readFileSync } from 'node:fs';
import { inRoot } from '../run.ts';

/** The table of docs/errors.md, from the classes of src/lib/errors.ts and their comments. */
export function errorCodeTable(): string {
  const source = readFileSync(inRoot('src', 'lib', 'errors.ts'), 'utf8');
  const classes = source.matchAll(
    /\/\*\* ([^*]*?) \*\/\nexport class (\w+) extends MillraceError \{\n {2}readonly code = '(\w+)'/g,
  );
  const rows = [...classes].map(([, comment, name, code]) => `| \`${code}\` | ${name} | ${comment} |`);
  return ['| code | class | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
