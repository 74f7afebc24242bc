import { execFileSync } from 'node:child_process';
import { globSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every entry of some folders below a root, with mode and content, and what git knows of the repositories in them. */
export function projectFiles(root: string, patterns: readonly string[], home: string): readonly string[] {
  const folders = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  return folders.flatMap((folder) => {
    const paths = [...entriesBelow(join(root, folder))];
    return paths.flatMap((path) =>
      path.endsWith('/.git') && lstatSync(path).isDirectory()
        ? repositoryFacts(path, home)
        : [describe(path, relative(root, path))],
    );
  });
}

function* entriesBelow(folder: string): Generator<string> {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    yield path;
    if (lstatSync(path).isDirectory() && name !== '.git') yield* entriesBelow(path);
  }
}

function describe(path: string, name: string): string {
  const stats = lstatSync(path);
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isDirectory()) return `${mode} ${name}/`;
  if (stats.isSymbolicLink()) return `link ${name} -> ${readlinkSync(path)}`;
  const isOpaque = /\.(zip|json)$|ext\.conf$|git-template\//.test(name);
  return `${mode} ${name}${isOpaque ? '' : ` ${shown(readFileSync(path))}`}`;
}

function shown(content: Buffer): string {
  return content.length > 500 ? `${content.length} bytes` : JSON.stringify(content.toString());
}

function repositoryFacts(gitFolder: string, home: string): readonly string[] {
  const git = (...args: readonly string[]): readonly string[] =>
    execFileSync('git', args, {
      cwd: join(gitFolder, '..'),
      env: { PATH: process.env['PATH'], HOME: home },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .split('\n')
      .filter((line) => line !== '');
  const kind = tryGit(() => git('rev-parse', '--is-shallow-repository'));
  if (kind === undefined) return ['  a broken repository'];
  const lines = [
    ...kind.map((line) => `shallow ${line}`),
    ...git('rev-list', '--all', '--count').map((line) => `commits ${line}`),
    ...git('for-each-ref', '--format=%(refname) %(objectname:short)'),
    ...git('status', '--porcelain', '--ignored').map((line) => `status ${line}`),
    ...git('config', '--file', '.git/config', '--list').map((line) => `config ${line}`),
    ...readdirSync(gitFolder)
      .sort()
      .map((name) => `.git/${name}`),
  ];
  return lines.map((line) => `  ${line}`);
}

function tryGit<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
