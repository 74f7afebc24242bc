import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { hasProcFiles, parseProcessStat } from './process-identity.ts';
import { environmentFromPs, statsFromPs } from './process-listing.ts';
import type { ProcessStat } from './process-stat.ts';

/**
 * Environment variable that marks the processes of a job, wherever they go: a comma-separated list of cookies,
 * so that a job inside a job is still found by both.
 */
export const processCookieVariable = 'MILLRACE_PROCESS_COOKIES';

export interface ProcessEntry extends ProcessStat {
  readonly cookies: readonly string[];
}

/** The processes of this machine, as far as this account may see them. */
export interface ProcessTable {
  /**
   * All processes at one moment after the call; ended ones are left out. Callers that ask at the same time share
   * one scan.
   */
  snapshot(): Promise<readonly ProcessEntry[]>;
  /**
   * Those of the processes that have one of the named pipes (`pipe:[1234]`) open; none where the system does not tell.
   */
  holdersOf(pipes: ReadonlySet<string>, processes: readonly ProcessEntry[]): Promise<readonly ProcessEntry[]>;
}

/** The environment with further cookies. */
export function withProcessCookies(
  environment: Readonly<Record<string, string>>,
  cookies: readonly string[],
): Readonly<Record<string, string>> {
  const inherited = environment[processCookieVariable];
  const all = inherited === undefined || inherited === '' ? cookies : [inherited, ...cookies];
  return { ...environment, [processCookieVariable]: all.join(',') };
}

/** Processes looked at before other work gets its turn. */
const sliceSize = 50;

export function createProcessTable(root = '/proc'): ProcessTable {
  let running: Promise<readonly ProcessEntry[]> | undefined;
  let next: Promise<readonly ProcessEntry[]> | undefined;

  function start(): Promise<readonly ProcessEntry[]> {
    const scan = (hasProcFiles ? scanProcesses(root) : listProcesses()).finally(() => {
      if (running === scan) running = undefined;
    });
    running = scan;
    return scan;
  }

  return {
    snapshot: async () => {
      if (running === undefined) return await start();
      // The running scan may have passed a process that the caller wants to see.
      next ??= running
        .catch(() => {})
        .then(() => {
          next = undefined;
          return start();
        });
      return await next;
    },
    holdersOf: async (pipes, processes) => {
      const holders: ProcessEntry[] = [];
      for (const [index, entry] of processes.entries()) {
        if (index % sliceSize === sliceSize - 1) await setImmediate();
        if (openFilesOf(root, entry.pid).some((file) => pipes.has(file))) holders.push(entry);
      }
      return holders;
    },
  };
}

/** What standard input of a process is, `pipe:[1234]`. */
export function standardInputOf(pid: number, root = '/proc'): string | undefined {
  return linkTarget(`${root}/${pid}/fd/0`);
}

async function scanProcesses(root: string): Promise<readonly ProcessEntry[]> {
  const entries: ProcessEntry[] = [];
  let seen = 0;
  for (const name of namesIn(root)) {
    if (!/^\d+$/.test(name)) continue;
    seen += 1;
    if (seen % sliceSize === 0) await setImmediate();
    const stat = statOf(`${root}/${name}/stat`);
    if (stat === undefined || stat.isZombie) continue;
    entries.push({ ...stat, cookies: cookiesOf(`${root}/${name}/environ`) });
  }
  return entries;
}

async function listProcesses(): Promise<readonly ProcessEntry[]> {
  const [stats, cookies] = await Promise.all([statsFromPs(), environmentFromPs(processCookieVariable)]);
  const living = stats.filter(({ isZombie }) => !isZombie);
  return living.map((stat) => ({ ...stat, cookies: cookies.get(stat.pid)?.split(',') ?? [] }));
}

function statOf(path: string): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(path, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Another account's environment cannot be read: such a process is found by its parent or session. */
function cookiesOf(path: string): readonly string[] {
  let environment: string;
  try {
    environment = readFileSync(path, 'latin1');
  } catch {
    return [];
  }
  const prefix = `${processCookieVariable}=`;
  const at = environment.startsWith(prefix) ? 0 : environment.indexOf(`\0${prefix}`) + 1;
  if (at === 0 && !environment.startsWith(prefix)) return [];
  const end = environment.indexOf('\0', at);
  return environment.slice(at + prefix.length, end < 0 ? undefined : end).split(',');
}

function openFilesOf(root: string, pid: number): readonly string[] {
  const folder = `${root}/${pid}/fd`;
  return namesIn(folder).flatMap((name) => linkTarget(`${folder}/${name}`) ?? []);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
