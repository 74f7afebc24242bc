import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { WakeableSleep } from '../lib/wakeable-sleep.ts';
import { isBelowLimit, type PolledRunner, type PollOutcome, poll } from './poll.ts';
import type { Reservation } from './slot-table.ts';

const LONGEST_BACK_OFF_MS = 60_000;
/** A server that did not answer in time gets half as long the next time, but never less. */
const SHORTEST_ANSWER_GRACE_MS = 1000;

export interface RunnerLoopOptions {
  readonly clock: Clock;
  readonly checkIntervalMs: number;
  /** Added once to the first pause, so that runners do not ask all at the same moment. */
  readonly phaseMs: number;
  /** `true`, or why no new job can be taken at the moment. */
  readonly canTakeJobs: () => true | string;
}

/**
 * Asks for jobs for one runner until the signal is aborted, then waits for requests under way (spec protocol.md §6.1):
 * once per check interval; unless `strict_check_interval` at once again after a job came, as soon as there is room for
 * another one. A slow or dead server holds up nobody else: see `SlotTable`.
 */
export async function runRunnerLoop(
  polled: PolledRunner,
  options: RunnerLoopOptions,
  signal: AbortSignal,
): Promise<void> {
  const loop = new RunnerLoop(polled, options);
  try {
    await loop.run(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await loop.settle();
  }
}

class RunnerLoop {
  readonly #polled: PolledRunner;
  readonly #options: RunnerLoopOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #sleep: WakeableSleep;
  #dueAt: number;
  #phaseMs: number;
  /** Requests in a row that got no answer while others waited for the slot. */
  #unanswered = 0;
  #reportedObstacle = '';

  constructor(polled: PolledRunner, options: RunnerLoopOptions) {
    this.#polled = polled;
    this.#options = options;
    this.#sleep = new WakeableSleep(options.clock);
    this.#dueAt = options.clock.now();
    this.#phaseMs = options.phaseMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { slots, key, usage } = this.#polled;
    for (;;) {
      await this.#pause(signal);
      if (!this.#isAllowed()) continue;
      if (!this.#mayAsk()) {
        slots.setInterested(key, isBelowLimit(this.#polled.runner, usage));
        await usage.changed.until(() => this.#mayAsk(), signal);
        continue;
      }
      slots.setInterested(key, true);
      const reservation = await slots.reserve(key, signal);
      if (this.#mayAsk()) this.#start(reservation);
      else reservation.release();
    }
  }

  async settle(): Promise<void> {
    this.#polled.slots.setInterested(this.#polled.key, false);
    await Promise.all(this.#underWay);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (clock.now() < this.#dueAt) {
      await this.#sleep.sleep(this.#dueAt - clock.now(), signal);
    }
  }

  /** Health and room for new jobs; sets when to look again. */
  #isAllowed(): boolean {
    const { health, slots, key } = this.#polled;
    const disabledUntil = health.disabledUntil();
    const obstacle = disabledUntil > 0 ? undefined : this.#obstacle();
    if (disabledUntil === 0 && obstacle === undefined) return true;
    slots.setInterested(key, false);
    this.#dueAt = disabledUntil > 0 ? disabledUntil : this.#options.clock.now() + this.#options.checkIntervalMs;
    return false;
  }

  #obstacle(): string | undefined {
    const verdict = this.#options.canTakeJobs();
    if (verdict === true) {
      this.#reportedObstacle = '';
      return undefined;
    }
    if (this.#reportedObstacle === '') {
      this.#polled.logger.warn('No jobs are requested: new ones could not be kept safe', { problem: verdict });
    }
    this.#reportedObstacle = verdict;
    return verdict;
  }

  #mayAsk(): boolean {
    const { runner, usage, requestLimit } = this.#polled;
    return usage.requests < requestLimit.current && isBelowLimit(runner, usage, usage.requests);
  }

  #start(reservation: Reservation): void {
    this.#dueAt = this.#options.clock.now() + this.#options.checkIntervalMs + this.#phaseMs;
    this.#phaseMs = 0;
    const chain = this.#pollChain(reservation).finally(() => this.#underWay.delete(chain));
    this.#underWay.add(chain);
  }

  /** After a job the same runner asks again at once, as long as slots are free; else as soon as one is. */
  async #pollChain(first: Reservation): Promise<void> {
    const { runner, slots, key, logger } = this.#polled;
    let reservation: Reservation | undefined = first;
    let retryAfterMs: number | undefined;
    try {
      while (reservation !== undefined) {
        const outcome: PollOutcome = await poll(this.#polledWithPatience(), reservation);
        this.#learn(outcome);
        retryAfterMs = outcome.retryAfterMs;
        if (outcome.kind !== 'job' || runner.strictCheckInterval) return;
        const isReady: boolean = !reservation.signal.aborted && this.#mayAsk() && this.#options.canTakeJobs() === true;
        reservation = isReady ? slots.tryReserve(key) : undefined;
      }
      if (retryAfterMs !== undefined) return;
      this.#dueAt = Math.min(this.#dueAt, this.#options.clock.now());
      this.#sleep.wake();
    } catch (error) {
      logger.error('Asking for a job failed unexpectedly', { error: errorMessage(error) });
    }
  }

  /** Whoever waits for the slot of a server that is late again and again shall not wait as long every time. */
  #polledWithPatience(): PolledRunner {
    const { graces } = this.#polled;
    const shortestMs = Math.min(graces.answerMs, SHORTEST_ANSWER_GRACE_MS);
    const answerMs = Math.max(shortestMs, graces.answerMs / 2 ** this.#unanswered);
    return { ...this.#polled, graces: { ...graces, answerMs } };
  }

  #learn({ kind, retryAfterMs }: PollOutcome): void {
    const { clock, checkIntervalMs } = this.#options;
    this.#unanswered = kind === 'unanswered' ? this.#unanswered + 1 : 0;
    const backOffMs =
      kind === 'unanswered' ? Math.min(LONGEST_BACK_OFF_MS, checkIntervalMs * 2 ** this.#unanswered) : 0;
    this.#dueAt = Math.max(this.#dueAt, clock.now() + Math.max(backOffMs, retryAfterMs ?? 0));
  }
}
