import { type Condition, createCondition } from './condition.ts';

/** What runs under one runner token; several entries with the same token share it (spec config.md §4). */
export interface TokenUsage {
  /** Jobs in progress. */
  jobs: number;
  /** Job requests under way. */
  requests: number;
  /** Notified when one of them sinks. */
  readonly changed: Condition;
}

export function createTokenUsages(): (runnerToken: string) => TokenUsage {
  const usages = new Map<string, TokenUsage>();
  return (runnerToken) => {
    const usage = usages.get(runnerToken) ?? { jobs: 0, requests: 0, changed: createCondition() };
    usages.set(runnerToken, usage);
    return usage;
  };
}
