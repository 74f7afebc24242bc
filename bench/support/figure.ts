import type { Measurement } from './measurement.ts';
import type { Programs, RunnerProgram } from './program.ts';

export interface BenchOptions extends Programs {
  /** What packs and unpacks the Go runner's caches and artifacts. */
  readonly peerHelper: RunnerProgram | undefined;
  /** Samples per program; undefined = as many as the figure needs. */
  readonly runs: number | undefined;
  /** How long runners idle before their memory is read. */
  readonly idleSeconds: number;
}

/** Something that is measured; one or more lines of the table. */
export interface Figure {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  readonly measure: (options: BenchOptions) => Promise<readonly Measurement[]>;
}
