// Entry of `npm run demo`, `npm test` and friends on a fresh machine: plain JavaScript for Node 20 and later.
// Installs the dependencies (which bring Node 24 with them) where they are missing or older than the lockfile,
// then runs the named tool with that Node.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.millrace-installed');
const bin = join(modules, '.bin');

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  return existsSync(join(bin, 'node')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash();
}

function run(command, args, environment) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: environment });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

if (!isInstalled()) {
  console.error('Installing the dependencies (once) ...');
  const status = run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], process.env);
  if (status !== 0) {
    console.error('npm ci failed; see above. Node 20 or later and access to the npm registry are needed.');
    process.exit(status);
  }
  writeFileSync(stamp, lockHash());
}

const [tool, ...args] = process.argv.slice(2);
if (tool === undefined) process.exit(0);
const environment = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
process.exit(run(join(bin, 'node'), [join(root, 'tools', `${tool}.ts`), ...args], environment));
