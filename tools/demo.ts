// `npm run demo`: the pipeline of examples/demo, run in a git repository of its own by the bundled program.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { inRoot, run } from './run.ts';

const folder = inRoot('.millrace', 'demo');

function git(...args: readonly string[]): void {
  const identity = ['-c', 'user.name=demo', '-c', 'user.email=demo@localhost', '-c', 'commit.gpgsign=false'];
  const { status } = spawnSync('git', ['-C', folder, ...identity, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`git ${args[0]} failed: is git installed?`);
}

if (run('node', [inRoot('tools', 'build.ts'), '--bundle']) !== 0) process.exit(1);
mkdirSync(folder, { recursive: true });
cpSync(inRoot('examples', 'demo'), folder, { recursive: true });
if (!existsSync(inRoot('.millrace', 'demo', '.git'))) {
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '--message', 'The demo');
}
const result = spawnSync(
  process.execPath,
  [inRoot('dist', 'millrace.cjs'), 'pipeline', 'run', ...process.argv.slice(2)],
  {
    cwd: folder,
    stdio: 'inherit',
  },
);
process.exitCode = result.status ?? 1;
