import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { type RunnerProcess, until } from './runner-bench.ts';

/** A process whose environment holds a text. */
export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

/** Processes that have `text` in their environment, without this one; needs /proc. */
export function processesWith(text: string): readonly MarkedProcess[] {
  const found: MarkedProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(text)) continue;
      if (readFileSync(`/proc/${name}/stat`, 'latin1').includes(') Z ')) continue;
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      found.push({ pid: Number(name), command: command === '' ? readlinkSync(`/proc/${name}/exe`) : command });
    } catch {
      // It ended by itself.
    }
  }
  return found;
}

/** Ends them as a reboot would, or sends another signal. */
export function killAll(processes: readonly MarkedProcess[], signal: NodeJS.Signals = 'SIGKILL'): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
}

/** Waits until a manager listens to signals: before, one ends it as it ends any program. SIGHUP is heard last of all. */
export async function listensToSignals(runner: RunnerProcess): Promise<void> {
  const bit = 1n << BigInt(constants.signals.SIGHUP - 1);
  await until('the manager to listen to signals', 20_000, async () => {
    const status = readFileSync(`/proc/${runner.process.pid}/status`, 'latin1');
    const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    return (caught & bit) === 0n ? undefined : true;
  });
}
