import type { ScriptJob } from '../support/runner-bench.ts';
import type { DifferenceName } from './differences.ts';
import type { RunnerKind } from './runner-kinds.ts';

/** One comparison: the same jobs, one after another, in one project on both runners. */
export interface Scenario {
  readonly name: string;
  /** Which `[[runners]]` entry takes the jobs; default `plain`. */
  readonly runner?: RunnerKind;
  readonly jobs: readonly ScenarioJob[];
  /** The jobs run at the same time instead. */
  readonly together?: true;
  /** Deliberate differences that this scenario shows: each is a row of docs/differences.md. */
  readonly shows?: readonly DifferenceName[];
  /** What of the transcripts is compared, where the rest cannot be equal. */
  readonly focus?: { readonly why: string; readonly apply: (transcript: string) => string };
  /** Needs git-lfs. */
  readonly needsLfs?: true;
}

export interface ScenarioJob extends ScriptJob {
  /** The repository the job gets its sources from; default: none, with `GIT_STRATEGY: none`. */
  readonly sources?: RepositoryName;
  /** A branch or tag of it; default `main`. */
  readonly ref?: string;
  readonly depth?: number;
  readonly refspecs?: readonly string[];
  /** Sources over `file://` instead of HTTP. */
  readonly byFile?: true;
  /** Stops the job once its trace, as the server has it, holds a text. */
  readonly stop?: { readonly how: 'cancel' | 'abort'; readonly after: string };
  /** Index of an earlier job of the scenario whose artifacts it downloads. */
  readonly artifactsOf?: number;
  /** The trace without timestamps: compared as it is. */
  readonly withoutTimestamps?: true;
}

export type RepositoryName = 'plain' | 'parent' | 'large';
