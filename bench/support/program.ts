/** A runner program: ours, or the Go runner that `--peer` names. */
export interface RunnerProgram {
  readonly kind: 'millrace' | 'peer';
  /** The file and its first arguments. */
  readonly command: readonly string[];
}

/** The programs that one run compares; ours first. */
export interface Programs {
  readonly ours: RunnerProgram;
  readonly peer: RunnerProgram | undefined;
  /** Ours as one bundled file for Node: only to load something before it. */
  readonly bundle: string;
}

/** Both, or ours alone. */
export function comparedPrograms({ ours, peer }: Programs): readonly RunnerProgram[] {
  return peer === undefined ? [ours] : [ours, peer];
}
