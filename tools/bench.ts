// `npm run bench`: builds the executable unless it is newer than what it is made of, then measures it. bench/README.md
import { existsSync, readdirSync, statSync } from 'node:fs';
import { inRoot, run } from './run.ts';

const executable = inRoot('dist', 'millrace');
const bundle = inRoot('dist', 'millrace.cjs');

/** When a file, or the youngest file below a folder, was changed. */
function changedAt(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(...readdirSync(path).map((name) => changedAt(`${path}/${name}`)));
}

function isFresh(): boolean {
  if (!existsSync(executable) || !existsSync(bundle)) return false;
  const sources = [inRoot('src'), inRoot('tools', 'build'), inRoot('package-lock.json')];
  const newest = Math.max(...sources.map(changedAt));
  return Math.min(changedAt(executable), changedAt(bundle)) > newest;
}

const args = process.argv.slice(2);
const isOther = args.some((argument) => argument.startsWith('--program') || argument === '--help' || argument === '-h');
if (!isOther && !isFresh()) {
  const status = run('node', [inRoot('tools', 'build.ts')]);
  if (status !== 0) process.exit(status);
}
process.exitCode = run('node', [inRoot('bench', 'run.ts'), ...args]);
