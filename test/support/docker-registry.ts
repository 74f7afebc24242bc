import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A registry on loopback. */
export interface TestRegistry {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** Gives an image of the daemon a name in this registry, pushes it, and takes the name away again. */
  push(image: string, name: string): string;
  /** Ends the program; what it holds is kept for `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** bcrypt of "secret" */
const HTPASSWD = 'ci:$2b$05$g9FYrSk/eOBkm6afL.fEzeb4CQv08SD17c48DBec.o4ISNSQo0Z0e\n';
const READY_LIMIT_MS = 20_000;

/** Debian's `docker-registry`, with or without a password. @param daemon address of the daemon that pushes */
export async function startTestRegistry(daemon: string, needsPassword: boolean): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'docker-registry-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  writeFileSync(join(folder, 'htpasswd'), HTPASSWD);
  writeFileSync(join(folder, 'config.yml'), configText(folder, port, needsPassword));
  const auths = { [host]: { auth: Buffer.from('ci:secret').toString('base64') } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
  let program: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    program = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
    const limit = Date.now() + READY_LIMIT_MS;
    while (!(await answers(`http://${host}/v2/`))) {
      if (Date.now() > limit) throw new Error('the registry does not start');
      await sleep(50);
    }
  };
  const stop = async (): Promise<void> => {
    if (program === undefined || program.exitCode !== null) return;
    const gone = new Promise((resolve) => program?.once('exit', resolve));
    program.kill('SIGTERM');
    await gone;
  };
  await start();
  return {
    host,
    username: 'ci',
    password: 'secret',
    push: (image, name) => {
      const target = `${host}/${name}`;
      for (const args of [
        ['tag', image, target],
        ['--config', folder, 'push', '-q', target],
        ['rmi', target],
      ]) {
        docker(daemon, args);
      }
      return target;
    },
    stop,
    start,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs the Docker command line. @throws Error when it fails. */
export function docker(daemon: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', ['--host', daemon, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

function configText(folder: string, port: number, needsPassword: boolean): string {
  const lines = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${folder}/data }, delete: { enabled: true } }`,
    `http: { addr: "127.0.0.1:${port}" }`,
    ...(needsPassword ? [`auth: { htpasswd: { realm: test, path: ${folder}/htpasswd } }`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(url);
    return status === 200 || status === 401;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
