import { execFile, spawnSync } from 'node:child_process';
import type { ProcessStat } from './process-stat.ts';

// For systems without Linux's /proc: macOS and the BSDs. Sessions are not told there, and start times are in seconds.

const columns = 'pid=,ppid=,pgid=,stat=,lstart=';
const environment = { PATH: '/bin:/usr/bin:/sbin:/usr/sbin', LC_ALL: 'C' };
const largestAnswer = 256 * 1024 * 1024;

/** One process as ps(1) tells it; undefined when there is none. */
export function statFromPs(pid: number): ProcessStat | undefined {
  const { stdout } = spawnSync('ps', ['-o', columns, '-p', String(pid)], { env: environment, encoding: 'utf8' });
  return parsePsLine(stdout.trim());
}

/** All processes as ps(1) tells them. */
export async function statsFromPs(): Promise<readonly ProcessStat[]> {
  const text = await run(['-A', '-o', columns]);
  return text.split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

/** The value of an environment variable, for each process that has it and may be looked into. */
export async function environmentFromPs(variable: string): Promise<ReadonlyMap<number, string>> {
  const showEnvironment = process.platform === 'darwin' ? ['-A', '-E', '-ww'] : ['axeww'];
  const text = await run([...showEnvironment, '-o', 'pid=,command=']);
  const pattern = new RegExp(`^\\s*(\\d+)\\s.*\\s${variable}=(\\S+)`);
  const matches = text.split('\n').flatMap((line) => pattern.exec(line) ?? []);
  const values = new Map<number, string>();
  for (let at = 0; at < matches.length; at += 3) values.set(Number(matches[at + 1]), matches[at + 2] ?? '');
  return values;
}

/** When the system was started, as the kernel's sysctl tells it; empty where it does not. */
export function bootTimeFromSysctl(): string {
  const { stdout, status } = spawnSync('sysctl', ['-n', 'kern.boottime'], { env: environment, encoding: 'utf8' });
  return status === 0 ? (/sec = (\d+)/.exec(stdout)?.[1] ?? '') : '';
}

/** Parses one line of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export function parsePsLine(line: string): ProcessStat | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*\S)\s*$/.exec(line);
  if (match === null) return undefined;
  const [, pid, parent, group, state = '', startTime = ''] = match;
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    session: 0,
    startTime,
    isZombie: state.startsWith('Z'),
    isStopped: state.startsWith('T'),
  };
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ps', args, { env: environment, maxBuffer: largestAnswer, encoding: 'utf8' }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
}
