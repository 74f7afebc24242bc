import type { RunnerManagerRecord, RunnerRecord } from '../state/records.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';
import { newSecret } from '../store/secrets.ts';
import type { CounterBook } from './counter-book.ts';

export interface NewRunner {
  readonly origin: RunnerRecord['origin'];
  readonly description: string;
  readonly maintenanceNote: string;
  readonly tags: readonly string[];
  readonly runUntagged: boolean;
  readonly isPaused: boolean;
  readonly maximumTimeoutSeconds: number;
}

/** How long a runner manager's details are only kept in memory before they are written again. */
const managerWriteIntervalMs = 40 * 60 * 1000;

/** The runners and the managers that serve them. */
export class RunnerRegistry {
  readonly #runners = new Map<number, RunnerRecord>();
  readonly #byToken = new Map<string, number>();
  readonly #store: CoordinatorStore;
  readonly #counters: CounterBook;
  readonly #tokenLifetimeMs: number | undefined;
  readonly #now: () => number;

  constructor(
    store: CoordinatorStore,
    counters: CounterBook,
    stored: readonly RunnerRecord[],
    settings: { readonly runnerTokenLifetimeMs: number | undefined; readonly now: () => number },
  ) {
    this.#store = store;
    this.#counters = counters;
    this.#tokenLifetimeMs = settings.runnerTokenLifetimeMs;
    this.#now = settings.now;
    for (const runner of stored) this.#keep(runner);
  }

  all(): Iterable<RunnerRecord> {
    return this.#runners.values();
  }

  get(id: number): RunnerRecord | undefined {
    return this.#runners.get(id);
  }

  /** The runner of a valid token: known and not expired. */
  byToken(token: string): RunnerRecord | undefined {
    const id = this.#byToken.get(token);
    const runner = id === undefined ? undefined : this.#runners.get(id);
    const expiresAt = runner?.tokenExpiresAt ?? Number.POSITIVE_INFINITY;
    return expiresAt > this.#now() ? runner : undefined;
  }

  create(wanted: NewRunner): RunnerRecord {
    const runner: RunnerRecord = {
      ...wanted,
      tags: [...wanted.tags],
      id: this.#counters.takeRunnerId(),
      token: newSecret(wanted.origin),
      tokenExpiresAt: this.#expiry(),
      createdAt: this.#now(),
      managers: [],
    };
    this.#save(runner);
    return runner;
  }

  resetToken(runner: RunnerRecord): RunnerRecord {
    const renewed = { ...runner, token: newSecret(runner.origin), tokenExpiresAt: this.#expiry() };
    this.#save(renewed);
    return renewed;
  }

  update(
    runner: RunnerRecord,
    facts: Partial<Pick<RunnerRecord, 'description' | 'isPaused' | 'tags' | 'runUntagged'>>,
  ): RunnerRecord {
    const updated = { ...runner, ...facts };
    this.#save(updated);
    return updated;
  }

  remove(runner: RunnerRecord): void {
    this.#runners.delete(runner.id);
    this.#byToken.delete(runner.token);
    this.#store.saveRunners([...this.#runners.values()]);
  }

  /** Notes a call of a manager with what it said of itself. */
  contact(runnerId: number, manager: RunnerManagerRecord): void {
    const runner = this.#runners.get(runnerId);
    if (runner === undefined) return;
    const known = runner.managers.find((other) => other.systemId === manager.systemId);
    const others = runner.managers.filter((other) => other !== known);
    const updated = { ...runner, managers: [...others, manager] };
    const isDue = known === undefined || manager.contactedAt - known.contactedAt > managerWriteIntervalMs;
    if (isDue || !isSameManager(known, manager)) this.#save(updated);
    else this.#keep(updated);
  }

  removeManager(runner: RunnerRecord, systemId: string): void {
    this.#save({ ...runner, managers: runner.managers.filter((manager) => manager.systemId !== systemId) });
  }

  #expiry(): number | null {
    return this.#tokenLifetimeMs === undefined ? null : this.#now() + this.#tokenLifetimeMs;
  }

  #save(runner: RunnerRecord): void {
    this.#keep(runner);
    this.#store.saveRunners([...this.#runners.values()]);
  }

  #keep(runner: RunnerRecord): void {
    const before = this.#runners.get(runner.id);
    if (before !== undefined) this.#byToken.delete(before.token);
    this.#runners.set(runner.id, runner);
    this.#byToken.set(runner.token, runner.id);
  }
}

function isSameManager(left: RunnerManagerRecord, right: RunnerManagerRecord): boolean {
  return JSON.stringify({ ...left, contactedAt: 0 }) === JSON.stringify({ ...right, contactedAt: 0 });
}
