import type { RunnerProgram } from './program.ts';

/** What a figure is wanted to be. */
export interface Target {
  /** Of the medians, ours by the peer's. */
  readonly ratioAtMost?: number;
  readonly ratioAtLeast?: number;
  /** Of our own median. */
  readonly oursAtMost?: number;
}

/** One line of the table: all samples of both programs. */
export interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly ours: readonly number[];
  /** Empty where there was nothing to compare with. */
  readonly peer: readonly number[];
  readonly target?: Target;
}

export interface Summary {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Samples of both programs, gathered in any order. */
export class Samples {
  readonly #values: Record<RunnerProgram['kind'], number[]> = { millrace: [], peer: [] };

  add(kind: RunnerProgram['kind'], value: number): void {
    this.#values[kind].push(value);
  }

  measurement(name: string, unit: string, target?: Target): Measurement {
    const { millrace, peer } = this.#values;
    return { name, unit, ours: millrace, peer, ...(target === undefined ? {} : { target }) };
  }
}

/** @returns undefined when there are no samples. */
export function summary(samples: readonly number[]): Summary | undefined {
  const sorted = [...samples].sort((left, right) => left - right);
  const at = (index: number): number => sorted[index] ?? 0;
  if (sorted.length === 0) return undefined;
  const middle = (sorted.length - 1) / 2;
  return { min: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, max: at(sorted.length - 1) };
}

/** Median of ours by median of the peer's; undefined without a peer. */
export function ratio({ ours, peer }: Measurement): number | undefined {
  const [our, other] = [summary(ours), summary(peer)];
  return our === undefined || other === undefined || other.median === 0 ? undefined : our.median / other.median;
}

/** Whether the target is met; undefined when there is none, or nothing to compare with. */
export function isMet(measurement: Measurement): boolean | undefined {
  const { target } = measurement;
  if (target === undefined) return undefined;
  const verdicts: boolean[] = [];
  const median = summary(measurement.ours)?.median;
  const ratioNow = ratio(measurement);
  if (target.oursAtMost !== undefined && median !== undefined) verdicts.push(median <= target.oursAtMost);
  if (target.ratioAtMost !== undefined && ratioNow !== undefined) verdicts.push(ratioNow <= target.ratioAtMost);
  if (target.ratioAtLeast !== undefined && ratioNow !== undefined) verdicts.push(ratioNow >= target.ratioAtLeast);
  return verdicts.length === 0 ? undefined : verdicts.every(Boolean);
}
