// Starts a Docker daemon of its own for tests: `node test/services/docker-daemon.ts --folder DIR [--root DIR]`.
// Prints `MILLRACE_TEST_DOCKER=unix://…` when it is ready, ends with SIGTERM, SIGINT or when standard input closes, and
// takes everything along. --root is a Debian root; with it there is an image debian:test beside busybox:test.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const READY_LIMIT_MS = 60_000;
const END_LIMIT_MS = 30_000;

const { values } = parseArgs({ options: { folder: { type: 'string' }, root: { type: 'string' } } });

async function main(): Promise<void> {
  const folder = values.folder;
  if (folder === undefined) throw new Error('--folder is missing');
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, 'docker.sock');
  const bridge = makeBridge();
  const daemon = startDaemon(folder, socket, bridge);
  const over = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
    process.stdin.once('end', resolve).resume();
    daemon.once('exit', () => resolve());
  });
  try {
    await ready(socket, daemon, folder);
    importBusybox(socket, folder);
    if (values.root !== undefined) importFolder(socket, values.root, 'debian:test', 'CMD ["bash"]');
    process.stdout.write(`MILLRACE_TEST_DOCKER=unix://${socket}\n`);
    await over;
  } finally {
    await end(daemon);
    execFileSync('ip', ['link', 'delete', bridge]);
    // It leaves this mounted.
    spawnSync('umount', [join(folder, 'exec', 'netns', 'default')]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A bridge of its own: with the usual one, and with rules of its own, two daemons on one host disturb each other. */
function makeBridge(): string {
  const bridge = `millrace${randomInt(1e6)}`;
  execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge']);
  execFileSync('ip', ['address', 'add', `10.${randomInt(64, 128)}.${randomInt(256)}.1/24`, 'dev', bridge]);
  execFileSync('ip', ['link', 'set', bridge, 'up']);
  return bridge;
}

function startDaemon(folder: string, socket: string, bridge: string): ChildProcess {
  writeFileSync(join(folder, 'daemon.json'), '{}');
  const log = openSync(join(folder, 'dockerd.log'), 'w');
  const paths = [
    '--data-root',
    'data',
    '--exec-root',
    'exec',
    '--pidfile',
    'docker.pid',
    '--config-file',
    'daemon.json',
  ];
  const args = paths.map((part, index) => (index % 2 === 0 ? part : join(folder, part)));
  const network = ['--bridge', bridge, '--iptables=false', '--ip-masq=false', '--insecure-registry', '127.0.0.0/8'];
  return spawn('dockerd', [...args, '--host', `unix://${socket}`, ...network], {
    stdio: ['ignore', log, log],
    detached: true,
  });
}

async function ready(socket: string, daemon: ChildProcess, folder: string): Promise<void> {
  const limit = Date.now() + READY_LIMIT_MS;
  while (!(await answers(socket))) {
    if (daemon.exitCode !== null || Date.now() > limit) {
      throw new Error(`dockerd does not start:\n${readFileSync(join(folder, 'dockerd.log'), 'utf8').slice(-3000)}`);
    }
    await sleep(100);
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

function importBusybox(socket: string, folder: string): void {
  const root = mkdtempSync(join(folder, 'busybox-'));
  for (const name of ['bin', 'etc', 'root', 'tmp']) mkdirSync(join(root, name));
  const program = spawnSync('which', ['busybox'], { encoding: 'utf8' }).stdout.trim();
  cpSync(program, join(root, 'bin', 'busybox'));
  const applets = spawnSync(program, ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n');
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
  writeFileSync(join(root, 'etc', 'group'), 'root:x:0:\nnobody:x:65534:\n');
  importFolder(socket, root, 'busybox:test', 'CMD ["sh"]');
  rmSync(root, { recursive: true });
}

function importFolder(socket: string, root: string, name: string, change: string): void {
  const script = `tar -C "$1" --one-file-system -c . | docker -H "unix://$2" import -c "$3" - "$4"`;
  const made = spawnSync('sh', ['-c', script, 'import', root, socket, change, name], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`cannot make ${name}: ${made.stderr}`);
}

/** By its own id; it ends its containers and its containerd. */
async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.pid === undefined) return;
  const gone = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
  daemon.kill('SIGTERM');
  const ended = await Promise.race([gone.then(() => true), sleep(END_LIMIT_MS, false, { ref: false })]);
  if (!ended) daemon.kill('SIGKILL');
}

await main();
