import { AbortReason, abortReasonOf } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';

/**
 * The `concurrent` job slots of the manager, shared by all runners.
 *
 * A coordinator assigns a job in its answer, so every request holds a slot for the job that may come: more requests
 * than slots could bring more jobs than may run. So that a request that takes long never keeps a slot from a runner
 * that waits for one:
 * - waiting runners get slots in the order in which they came;
 * - a request may be a long poll only while every other runner could have a slot too (`mayHold`); else it asks the
 *   server for an answer at once;
 * - a request that is under way longer than its grace gives its slot to another runner that waits and is aborted (what
 *   its own runner waits for may be on its way already, and would be lost). The grace is
 *   short while connecting (nothing was asked yet) and for a held poll, long for a request whose answer is due: to
 *   abort that one could lose a job.
 */
export interface SlotTable {
  /** Waits for a slot, after those that wait already. Rejects with the signal's reason. */
  reserve(runner: string, signal: AbortSignal): Promise<Reservation>;
  /** A slot if one is free and nobody waits. */
  tryReserve(runner: string): Reservation | undefined;
  /** A job that runs already takes a slot, even beyond the limit. @returns how to give it back; idempotent. */
  occupy(): () => void;
  /** Whether this runner wants jobs at the moment. */
  setInterested(runner: string, isInterested: boolean): void;
  /** Whether the holder of a reservation may let the server hold its request. */
  mayHold(runner: string): boolean;
  /** Aborts every reservation that no job has come for. */
  abortRequests(reason: AbortReason): void;
}

export interface Reservation {
  /** Aborted when the slot is needed elsewhere or the manager stops. */
  readonly signal: AbortSignal;
  /** Whether it was aborted for a waiting runner. */
  readonly wasPreempted: boolean;
  /** From now on another runner may take the slot, `graceMs` from now. */
  preemptAfter(graceMs: number): void;
  /** A job came: the slot stays until it is released. */
  keep(): void;
  /** Gives the slot back; idempotent. */
  release(): void;
}

interface Holder {
  readonly runner: string;
  readonly controller: AbortController;
  /** Infinity = not at all. */
  preemptibleAt: number;
  wasPreempted: boolean;
}

interface Waiter {
  readonly runner: string;
  readonly grant: (reservation: Reservation) => void;
}

export function createSlotTable(capacity: number, clock: Pick<Clock, 'now'>): SlotTable {
  const holders = new Set<Holder>();
  const interested = new Set<string>();
  let waiters: Waiter[] = [];
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;

  function give(runner: string): Reservation {
    const holder: Holder = {
      runner,
      controller: new AbortController(),
      preemptibleAt: Number.POSITIVE_INFINITY,
      wasPreempted: false,
    };
    holders.add(holder);
    taken += 1;
    return reservationOf(holder);
  }

  function reservationOf(holder: Holder): Reservation {
    const giveBack = once(() => {
      holders.delete(holder);
      freeOne();
    });
    return {
      signal: holder.controller.signal,
      get wasPreempted() {
        return holder.wasPreempted;
      },
      preemptAfter: (graceMs) => {
        holder.preemptibleAt = clock.now() + graceMs;
        preemptForWaiters();
      },
      keep: () => {
        holders.delete(holder);
        preemptForWaiters();
      },
      release: giveBack,
    };
  }

  function freeOne(): void {
    taken -= 1;
    const next = taken < capacity ? waiters.shift() : undefined;
    next?.grant(give(next.runner));
    preemptForWaiters();
  }

  /** One timer, and only while somebody waits. */
  function preemptForWaiters(): void {
    clearTimeout(timer);
    const pending = [...holders].filter((holder) => holder.wasPreempted).length;
    const isNeeded = ({ runner }: Holder): boolean =>
      waiters.filter((waiter) => waiter.runner !== runner).length > pending;
    const [victim] = [...holders]
      .filter((holder) => !holder.wasPreempted && holder.preemptibleAt !== Number.POSITIVE_INFINITY && isNeeded(holder))
      .sort((a, b) => a.preemptibleAt - b.preemptibleAt);
    if (victim === undefined) return;
    const delayMs = victim.preemptibleAt - clock.now();
    if (delayMs > 0) {
      timer = setTimeout(preemptForWaiters, delayMs);
      return;
    }
    victim.wasPreempted = true;
    victim.controller.abort(new AbortReason('finished', 'another runner waits for the slot'));
    preemptForWaiters();
  }

  return {
    reserve: (runner, signal) => {
      if (signal.aborted) return Promise.reject(abortReasonOf(signal));
      if (waiters.length === 0 && taken < capacity) return Promise.resolve(give(runner));
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiters = waiters.filter((other) => other !== waiter);
          reject(abortReasonOf(signal));
        };
        const waiter: Waiter = {
          runner,
          grant: (reservation) => {
            signal.removeEventListener('abort', onAbort);
            resolve(reservation);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiters.push(waiter);
        preemptForWaiters();
      });
    },
    tryReserve: (runner) => (waiters.length === 0 && taken < capacity ? give(runner) : undefined),
    occupy: () => {
      taken += 1;
      return once(freeOne);
    },
    setInterested: (runner, isInterested) => {
      if (isInterested) interested.add(runner);
      else interested.delete(runner);
    },
    mayHold: (runner) => {
      const served = new Set([...holders].map((holder) => holder.runner)).add(runner);
      const others = [...interested].filter((other) => !served.has(other)).length;
      return waiters.length === 0 && capacity - taken >= others;
    },
    abortRequests: (reason) => {
      for (const holder of holders) holder.controller.abort(reason);
    },
  };
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}
