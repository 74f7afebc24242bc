import { readFileSync } from 'node:fs';
import { inRoot } from '../run.ts';

interface Borders {
  readonly folders: Readonly<Record<string, { readonly holds: string; readonly mayImport: readonly string[] }>>;
}

/** The folder table of docs/architecture.md, from the file that the border check reads. */
export function folderTable(): string {
  const { folders } = JSON.parse(readFileSync(inRoot('tools', 'borders.json'), 'utf8')) as Borders;
  const rows = Object.entries(folders).map(([name, { holds, mayImport }]) => {
    const imports = mayImport.map((entry) =>
      entry.replace(/^(.*):types$/, 'types of $1').replace(/^\*$/, 'everything'),
    );
    return `| \`${name === 'root' ? 'src/*.ts' : `src/${name}`}\` | ${holds} | ${imports.join(', ') || 'nothing of ours'} |`;
  });
  return ['| folder | holds | may import |', '| --- | --- | --- |', ...rows].join('\n');
}
