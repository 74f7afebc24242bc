import type { JobConfig } from '../keywords/job.ts';
import type { MatrixRow, ParallelConfig } from '../keywords/parallel.ts';

/** A job as it will run: one of `parallel`, or the job itself. */
export interface JobInstance {
  readonly config: JobConfig;
  /** `test`, `test 1/3` or `test: [a, b]` */
  readonly name: string;
  /** From 1; undefined without `parallel`. */
  readonly index: number | undefined;
  readonly total: number;
  readonly matrix: MatrixRow;
}

/** All instances, in order of definition; of equal names the last one counts (spec local-pipeline.md §9.6). */
export function expandParallel(jobs: readonly JobConfig[]): readonly JobInstance[] {
  const byName = new Map<string, JobInstance>();
  for (const config of jobs) {
    for (const instance of instancesOf(config, config.parallel)) byName.set(instance.name, instance);
  }
  return [...byName.values()];
}

/** The name of a matrix instance. */
export function matrixName(job: string, row: MatrixRow): string {
  return `${job}: [${row.map(([, value]) => value).join(', ')}]`;
}

function instancesOf(config: JobConfig, parallel: ParallelConfig | undefined): readonly JobInstance[] {
  if (parallel === undefined) return [{ config, name: config.name, index: undefined, total: 1, matrix: [] }];
  if (parallel.kind === 'count') {
    const { total } = parallel;
    return Array.from({ length: total }, (_, index) => ({
      config,
      name: `${config.name} ${index + 1}/${total}`,
      index: index + 1,
      total,
      matrix: [],
    }));
  }
  const { rows } = parallel;
  return rows.map((row, index) => ({
    config,
    name: matrixName(config.name, row),
    index: index + 1,
    total: rows.length,
    matrix: row,
  }));
}
