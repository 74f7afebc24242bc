import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../lib/errors.ts';
import { bootTimeFromSysctl, statFromPs } from './process-listing.ts';
import type { ProcessStat } from './process-stat.ts';

/**
 * A process that cannot be mistaken for a later one: process ids are used again, after a reboot all of them.
 * `startTime` is in the system's own unit and only ever compared.
 */
export interface ProcessIdentity {
  readonly bootId: string;
  readonly pid: number;
  readonly startTime: string;
}

/** Whether the system tells about its processes in files. */
export const hasProcFiles: boolean = process.platform === 'linux';

/** Changes with every start of the system; empty where the system does not say. */
export function readBootId(): string {
  if (!hasProcFiles) return bootTimeFromSysctl();
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** What the system says about a process; undefined when there is none of that id. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  if (!hasProcFiles) return statFromPs(pid);
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Parses `/proc/<pid>/stat` (proc(5)); the program's name in it may hold blanks and brackets. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  const [state, parent, group, session] = fields;
  const startTime = fields[19];
  const pid = Number.parseInt(text, 10);
  if (nameEnd < 0 || Number.isNaN(pid) || session === undefined || startTime === undefined) return undefined;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTime,
    isZombie: state === 'Z' || state === 'X',
    isStopped: state === 'T',
  };
}

/** Names a living process for later; undefined when it has ended. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid);
  return stat === undefined ? undefined : { bootId: readBootId(), pid, startTime: stat.startTime };
}

/** Whether exactly this process still runs; one that is only waiting to be noticed does not. */
export function isRunning(identity: ProcessIdentity): boolean {
  const stat = readProcessStat(identity.pid);
  if (stat === undefined || stat.isZombie || stat.startTime !== identity.startTime) return false;
  return readBootId() === identity.bootId;
}

/**
 * Sends a signal to exactly this process of the current boot, never to one that got its id later.
 * @returns the system's error code when it was not sent; `ESRCH` = it has ended.
 */
export function signalProcess(
  process_: { readonly pid: number; readonly startTime: string },
  signal: NodeJS.Signals,
): string | undefined {
  if (readProcessStat(process_.pid)?.startTime !== process_.startTime) return 'ESRCH';
  try {
    process.kill(process_.pid, signal);
    return undefined;
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown';
  }
}
