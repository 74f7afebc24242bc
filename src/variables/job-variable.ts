/**
 * One entry of a job's flat, ordered variable list; a later entry wins over an earlier one with the same key
 * (spec job-execution.md §10).
 */
export interface JobVariable {
  readonly key: string;
  readonly value: string;
  /** Visible to service containers. */
  readonly public: boolean;
  /** The value is the content of a file; the job sees the file's path. */
  readonly file: boolean;
  /** The value is masked in the trace. */
  readonly masked: boolean;
  /** The value is not expanded. */
  readonly raw: boolean;
  /** Set by the runner, never by the payload. */
  readonly internal: boolean;
}
