import { AbortReason, abortReasonOf } from './abort.ts';
import type { Clock } from './clock.ts';

/** A loop's pause that others can end early. One pause at a time. */
export class WakeableSleep {
  readonly #clock: Pick<Clock, 'sleep'>;
  #pause: AbortController | undefined;

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** Resolves after `ms` or when woken; rejects with the signal's reason. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const pause = new AbortController();
    const onAbort = (): void => pause.abort(abortReasonOf(signal));
    this.#pause = pause;
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await this.#clock.sleep(ms, pause.signal);
    } catch (error) {
      if (signal.aborted || !pause.signal.aborted) throw error;
    } finally {
      this.#pause = undefined;
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Ends the present pause, if there is one. */
  wake(): void {
    this.#pause?.abort(new AbortReason('finished'));
  }
}
