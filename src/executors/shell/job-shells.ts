import { randomHex } from '../../platform/random.ts';
import { isSameShell, type ReadyShell, type ShellStarter, type StageShell } from './ready-shell.ts';
import type { StandbyPool } from './standby-pool.ts';

/** How long a shell that the job does not need may go on reading its profile. */
const discardGraceMs = 1000;

/** The shells of one job: those started ahead of their stages, and the others. */
export interface JobShells {
  /** Marks every process of the job. */
  readonly jobCookie: string;
  /** Makes one shell of each kind ready, where there is none. Nothing of the user's may run meanwhile. */
  startAhead(shells: readonly StageShell[]): void;
  /**
   * The shell for the stage in this (empty) folder: one that waits already, or a new one. What was started ahead is
   * the caller's as soon as this was called.
   * @throws EnvironmentLostError, StorageError
   */
  take(shell: StageShell, directory: string): Promise<ReadyShell>;
  /** Ends what was not taken. The job is over; never throws. */
  discard(hurry?: AbortSignal): Promise<void>;
}

interface AheadShell {
  readonly shell: StageShell;
  readonly started: Promise<ReadyShell | undefined>;
}

/** @param known cookie of a job whose environment an earlier manager made. */
export function createJobShells(starter: ShellStarter, pool: StandbyPool, known?: string): JobShells {
  let jobCookie = known;
  const ahead: AheadShell[] = [];
  const discarded: Promise<void>[] = [];

  function cookie(): string {
    jobCookie ??= randomHex(16);
    return jobCookie;
  }

  /** A standby's cookie becomes the job's; a job that has one already cannot take a standby. */
  function takeStandby(shells: readonly StageShell[]): void {
    for (const shell of shells) {
      const standby = jobCookie === undefined ? pool.take(shell) : undefined;
      if (standby === undefined) continue;
      jobCookie = standby.jobCookie;
      ahead.push({ shell, started: standby.started });
    }
  }

  return {
    get jobCookie() {
      return cookie();
    },
    startAhead: (shells) => {
      takeStandby(shells);
      for (const shell of shells) {
        if (ahead.some((other) => isSameShell(other.shell, shell))) continue;
        ahead.push({ shell, started: starter.start(shell, cookie()).catch(() => undefined) });
      }
    },
    take: async (shell, directory) => {
      const index = ahead.findIndex((other) => isSameShell(other.shell, shell));
      const [waiting] = index < 0 ? [] : ahead.splice(index, 1);
      const ready = await waiting?.started;
      if (ready !== undefined) {
        if (isMovedTo(ready, directory)) return ready;
        discarded.push(ready.discard(discardGraceMs));
      }
      return await starter.start(shell, cookie(), directory);
    },
    discard: async (hurry) => {
      const rest = ahead.splice(0).map(async ({ started }) => await (await started)?.discard(discardGraceMs, hurry));
      await Promise.all([...rest, ...discarded.splice(0)]);
    },
  };
}

function isMovedTo(ready: ReadyShell, directory: string): boolean {
  if (!ready.isFresh()) return false;
  try {
    ready.moveTo(directory);
    return true;
  } catch {
    return false;
  }
}
