import { AbortReason } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { randomHex } from '../../platform/random.ts';
import { isSameShell, type ReadyShell, type ShellStarter, type StageShell } from './ready-shell.ts';

/** How long a shell is kept for a job that may come. */
const keepMs = 10_000;
/** How long a shell that is no longer wanted may go on reading its profile. */
const discardGraceMs = 1000;

/**
 * Login shells that no job has yet. What jobs run may change what a login shell reads: none is kept while code of users
 * runs, and none that was started before.
 */
export interface StandbyPool {
  /** Gives a shell that was kept; it is the caller's then. */
  take(shell: StageShell): TakenShell | undefined;
  /** Keeps so many for the next jobs, unless code of users runs. */
  keep(shell: StageShell, count: number): void;
  /** Code of a user runs from now on until the returned function is called. */
  userCodeRuns(): () => void;
  /** No job comes any more. Idempotent. */
  close(): void;
  /** Resolves once every shell that was not taken has ended. */
  ended(): Promise<void>;
}

/** A shell started ahead; undefined where that failed: whoever needs one starts another and is told why. */
export interface TakenShell {
  readonly jobCookie: string;
  readonly started: Promise<ReadyShell | undefined>;
}

interface Standby extends TakenShell {
  readonly shell: StageShell;
  readonly expiry: AbortController;
  /** Once it has started. */
  ready: ReadyShell | undefined;
}

export function createStandbyPool(starter: ShellStarter, clock: Clock): StandbyPool {
  const standbys = new Set<Standby>();
  const discarded = new Set<Promise<void>>();
  let running = 0;
  const hurry = new AbortController();

  function add(shell: StageShell): void {
    const expiry = new AbortController();
    const jobCookie = randomHex(16);
    const started = starter.start(shell, jobCookie).catch(() => undefined);
    const standby: Standby = { shell, jobCookie, started, expiry, ready: undefined };
    standbys.add(standby);
    void started.then((ready) => {
      standby.ready = ready;
    });
    clock.sleep(keepMs, expiry.signal).then(
      () => discard(standby),
      () => {},
    );
  }

  function remove(standby: Standby): void {
    standbys.delete(standby);
    standby.expiry.abort(new AbortReason('finished'));
  }

  function discard(standby: Standby): void {
    if (!standbys.has(standby)) return;
    remove(standby);
    const end = standby.started.then((shell) => shell?.discard(discardGraceMs, hurry.signal));
    const tracked = end.finally(() => discarded.delete(tracked));
    discarded.add(tracked);
  }

  function discardAll(): void {
    for (const standby of standbys) discard(standby);
  }

  return {
    take: (shell) => {
      for (const standby of standbys) {
        if (!isSameShell(standby.shell, shell)) continue;
        if (standby.ready?.isFresh() !== false) {
          remove(standby);
          return standby;
        }
        discard(standby);
      }
      return undefined;
    },
    keep: (shell, count) => {
      if (running > 0 || hurry.signal.aborted) return;
      while (standbys.size < count) add(shell);
    },
    userCodeRuns: () => {
      discardAll();
      running += 1;
      return () => {
        running -= 1;
      };
    },
    close: () => {
      hurry.abort(new AbortReason('finished'));
      discardAll();
    },
    ended: async () => {
      await Promise.all(discarded);
    },
  };
}
