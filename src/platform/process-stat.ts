/** Where a process belongs. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** 0 = not known. */
  readonly session: number;
  readonly startTime: string;
  /** It has ended and waits for its parent to notice. */
  readonly isZombie: boolean;
  /** It was halted (SIGSTOP) and takes signals only once it goes on. */
  readonly isStopped: boolean;
}
