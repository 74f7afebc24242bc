import { readFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** Memory of a process now, MiB. */
export interface Memory {
  readonly resident: number;
  /** What is in memory only: heap and stacks, not the program's file. */
  readonly anonymous: number;
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return { resident: kibibytes(text, 'Rss') / 1024, anonymous: kibibytes(text, 'Anonymous') / 1024 };
}

/** The most that a process ever had in memory, MiB. */
export function peakMemoryOf(pid: number): number {
  return kibibytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmHWM') / 1024;
}

/** CPU time of a process so far, without that of its children; seconds. */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15; the name and the id before are cut off.
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function kibibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
}
