import { setTimeout } from 'node:timers/promises';
import { AbortReason } from '../lib/abort.ts';
import { parentsFirst } from './parents-first.ts';
import { signalProcess } from './process-identity.ts';
import type { ProcessEntry } from './process-table.ts';

/** Where to start when the processes of one piece of work are looked for. */
export interface ProcessSeeds {
  /** Processes that carry this cookie. */
  readonly cookie: string;
  /** A process known to belong to it, found in the same snapshot by id and start time. */
  readonly root?: { readonly pid: number; readonly startTime: string } | undefined;
  /** Members of this group are left out, but not their children. */
  readonly exceptGroup?: number | undefined;
}

/**
 * Selects everything that belongs to a piece of work: what carries its cookie, all descendants of that, and whoever
 * shares a session or group with it that one of them leads or led. A process that dropped its environment is so found by its
 * parent or its session.
 */
export function selectProcesses(processes: readonly ProcessEntry[], seeds: ProcessSeeds): readonly ProcessEntry[] {
  const byId = new Map(processes.map((entry) => [entry.pid, entry]));
  const selected = new Set<number>();
  for (const entry of processes) {
    const isRoot = entry.pid === seeds.root?.pid && entry.startTime === seeds.root.startTime;
    if (isRoot || entry.cookies.includes(seeds.cookie)) selected.add(entry.pid);
  }
  if (selected.size === 0) return [];
  selected.delete(process.pid);
  let before = 0;
  while (selected.size > before) {
    before = selected.size;
    const sessions = ownUnits(selected, byId, 'session');
    const groups = ownUnits(selected, byId, 'group');
    for (const entry of processes) {
      if (entry.pid === process.pid) continue;
      const isOurs = selected.has(entry.parent) || sessions.has(entry.session) || groups.has(entry.group);
      if (isOurs) selected.add(entry.pid);
    }
  }
  return processes.filter((entry) => selected.has(entry.pid) && entry.group !== seeds.exceptGroup);
}

/** Sessions or groups of selected processes whose leader is selected or gone. */
function ownUnits(
  selected: ReadonlySet<number>,
  byId: ReadonlyMap<number, ProcessEntry>,
  unit: 'session' | 'group',
): ReadonlySet<number> {
  const units = new Set<number>();
  for (const pid of selected) {
    const leader = byId.get(pid)?.[unit] ?? 0;
    if (leader > 0 && (selected.has(leader) || !byId.has(leader))) units.add(leader);
  }
  return units;
}

export interface EndProcessesOptions {
  /** Looks for what is left; called until it finds nothing. */
  readonly find: () => Promise<readonly ProcessEntry[]>;
  /** Milliseconds between the polite signal and the first SIGKILL. */
  readonly graceMs: number;
  /** How long SIGKILL is repeated before the survivors are given up: they are stuck, or another account's. */
  readonly killingMs?: number;
  /** Aborted = no more grace. */
  readonly hurry: AbortSignal;
  /** Resolves when the work is probably over, so that the next look need not wait. */
  readonly over?: Promise<void> | undefined;
}

const defaultKillingMs = 10_000;
const firstPauseMs = 5;
const longestPauseMs = 500;

/**
 * Ends processes: SIGTERM to each, a grace period, then SIGKILL until none is left. Processes that appear meanwhile
 * are treated alike.
 * @returns the ids of those that could not be ended.
 */
export async function endProcesses(options: EndProcessesOptions): Promise<readonly number[]> {
  const graceEnd = performance.now() + options.graceMs;
  const asked = new Set<string>();
  let killEnd: number | undefined;
  let pauseMs = firstPauseMs;
  let { over } = options;
  void over?.then(() => {
    over = undefined;
  });
  for (;;) {
    const left = parentsFirst(await options.find());
    if (left.length === 0) return [];
    const now = performance.now();
    if (killEnd === undefined && (now >= graceEnd || options.hurry.aborted)) {
      killEnd = now + (options.killingMs ?? defaultKillingMs);
      pauseMs = firstPauseMs;
    }
    if (killEnd === undefined) askToEnd(left, asked);
    else for (const entry of left) signalProcess(entry, 'SIGKILL');
    if (killEnd !== undefined && now >= killEnd) return left.map((entry) => entry.pid);
    const untilKillMs = killEnd === undefined ? Math.max(1, graceEnd - now) : longestPauseMs;
    await pause(Math.min(pauseMs, untilKillMs), killEnd === undefined ? options.hurry : undefined, over);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

function askToEnd(processes: readonly ProcessEntry[], asked: Set<string>): void {
  for (const entry of processes) {
    const key = `${entry.pid} ${entry.startTime}`;
    if (asked.has(key)) continue;
    asked.add(key);
    signalProcess(entry, 'SIGTERM');
    if (entry.isStopped) signalProcess(entry, 'SIGCONT');
  }
}

async function pause(ms: number, hurry: AbortSignal | undefined, over: Promise<void> | undefined): Promise<void> {
  const own = new AbortController();
  const signal = hurry === undefined ? own.signal : AbortSignal.any([own.signal, hurry]);
  const timer = setTimeout(ms, undefined, { signal }).catch(() => {});
  await (over === undefined ? timer : Promise.race([timer, over]));
  own.abort(new AbortReason('finished'));
}
