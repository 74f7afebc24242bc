import type { FaultEndpoint, FaultRule } from './fault-rules.ts';

export interface FaultCount {
  readonly rule: FaultRule;
  readonly requests: number;
  readonly injected: number;
}

/** Decides, reproducibly from a seed, which requests are hit by which fault. */
export class FaultInjector {
  readonly #entries: { readonly rule: FaultRule; readonly random: () => number; requests: number; injected: number }[];

  constructor(rules: readonly FaultRule[], seed: number) {
    this.#entries = rules.map((rule, index) => ({
      rule,
      random: seededRandom(seed + index * 7919),
      requests: 0,
      injected: 0,
    }));
  }

  /** The fault for a request of this endpoint: the first rule that hits. Counts it. */
  pick(endpoint: FaultEndpoint | undefined): FaultRule | undefined {
    if (endpoint === undefined) return undefined;
    let picked: FaultRule | undefined;
    for (const entry of this.#entries) {
      if (entry.rule.endpoint !== endpoint) continue;
      entry.requests += 1;
      const isHit = entry.random() < entry.rule.rate && entry.requests > entry.rule.skip_first;
      const isSpent = entry.rule.max_count !== undefined && entry.injected >= entry.rule.max_count;
      if (!isHit || isSpent || picked !== undefined) continue;
      entry.injected += 1;
      picked = entry.rule;
    }
    return picked;
  }

  counts(): readonly FaultCount[] {
    return this.#entries.map(({ rule, requests, injected }) => ({ rule, requests, injected }));
  }
}

/** A small generator of equally distributed numbers in [0, 1). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
