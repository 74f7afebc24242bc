/** CI_CONCURRENT_ID and CI_CONCURRENT_PROJECT_ID of one running job (spec job-execution.md §2). */
export interface ConcurrencyIds {
  readonly concurrentId: number;
  readonly concurrentProjectId: number;
}

export interface TakenIds extends ConcurrencyIds {
  /** Gives the numbers back; idempotent. */
  release(): void;
}

/** Keeps the numbers of several managers on one host apart. */
export interface NumberClaims {
  /** Whether no other manager has the number; then it is ours. `projectId` undefined = CI_CONCURRENT_ID. */
  claim(runnerToken: string, projectId: number | undefined, number: number): boolean;
  /** Gives a number back, unless another manager has it. */
  release(runnerToken: string, projectId: number | undefined, number: number): void;
}

const noOtherManagers: NumberClaims = { claim: () => true, release: () => {} };

/** Hands out the smallest free numbers, per runner token and per token and project. */
export interface ConcurrencyIdAllocator {
  take(runnerToken: string, projectId: number): TakenIds;
  /** Marks numbers as used that a job of an earlier manager still has. */
  reserve(runnerToken: string, projectId: number, ids: ConcurrencyIds): TakenIds;
}

export function createConcurrencyIdAllocator(claims: NumberClaims = noOtherManagers): ConcurrencyIdAllocator {
  const pools = new Map<string, NumberPool>();
  const poolOf = (runnerToken: string, projectId?: number): NumberPool => {
    const name = JSON.stringify([runnerToken, projectId]);
    const pool =
      pools.get(name) ??
      new NumberPool({
        claim: (number) => claims.claim(runnerToken, projectId, number),
        onFree: (number) => claims.release(runnerToken, projectId, number),
        onEmpty: () => pools.delete(name),
      });
    pools.set(name, pool);
    return pool;
  };
  const reserve = (runnerToken: string, projectId: number, ids: ConcurrencyIds): TakenIds => {
    const ofRunner = poolOf(runnerToken);
    const ofProject = poolOf(runnerToken, projectId);
    ofRunner.use(ids.concurrentId);
    ofProject.use(ids.concurrentProjectId);
    let isReleased = false;
    return {
      ...ids,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        ofRunner.free(ids.concurrentId);
        ofProject.free(ids.concurrentProjectId);
      },
    };
  };
  return {
    reserve,
    take: (runnerToken, projectId) =>
      reserve(runnerToken, projectId, {
        concurrentId: poolOf(runnerToken).claimSmallest(),
        concurrentProjectId: poolOf(runnerToken, projectId).claimSmallest(),
      }),
  };
}

interface PoolOptions {
  readonly claim: (number: number) => boolean;
  readonly onFree: (number: number) => void;
  readonly onEmpty: () => void;
}

/** Counts users of each number: two jobs of earlier managers may claim the same one. */
class NumberPool {
  readonly #users = new Map<number, number>();
  readonly #options: PoolOptions;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  claimSmallest(): number {
    let candidate = 0;
    while (this.#users.has(candidate) || !this.#options.claim(candidate)) candidate += 1;
    return candidate;
  }

  use(number: number): void {
    this.#users.set(number, (this.#users.get(number) ?? 0) + 1);
  }

  free(number: number): void {
    const left = (this.#users.get(number) ?? 0) - 1;
    if (left > 0) {
      this.#users.set(number, left);
      return;
    }
    this.#users.delete(number);
    this.#options.onFree(number);
    if (this.#users.size === 0) this.#options.onEmpty();
  }
}
