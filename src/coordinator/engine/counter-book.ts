import type { Counters } from '../state/records.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';

/** Numbers that are given once, also across restarts. */
export class CounterBook {
  #counters: Counters;
  readonly #store: CoordinatorStore;

  constructor(store: CoordinatorStore, counters: Counters) {
    this.#store = store;
    this.#counters = counters;
  }

  /** @returns the first of `count` new job ids. */
  takeJobIds(count: number): number {
    const first = this.#counters.lastJobId + 1;
    this.#save({ ...this.#counters, lastJobId: this.#counters.lastJobId + count });
    return first;
  }

  takeRunnerId(): number {
    const id = this.#counters.lastRunnerId + 1;
    this.#save({ ...this.#counters, lastRunnerId: id });
    return id;
  }

  takePipelineIds(projectPath: string): { readonly id: number; readonly iid: number } {
    const id = this.#counters.lastPipelineId + 1;
    const iid = (this.#counters.lastIid[projectPath] ?? 0) + 1;
    this.#save({
      ...this.#counters,
      lastPipelineId: id,
      lastIid: { ...this.#counters.lastIid, [projectPath]: iid },
    });
    return { id, iid };
  }

  #save(counters: Counters): void {
    this.#store.saveCounters(counters);
    this.#counters = counters;
  }
}
