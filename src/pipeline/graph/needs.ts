import type { ForeignNeed, NeedConfig } from '../keywords/needs.ts';
import type { MatrixRow } from '../keywords/parallel.ts';
import type { Problems } from '../problems.ts';
import type { Position } from '../yaml/nodes.ts';
import { type JobInstance, matrixName } from './instances.ts';

/** One instance that another one needs, by its name. */
export interface ResolvedNeed {
  readonly job: string;
  readonly artifacts: boolean;
  readonly optional: boolean;
  readonly foreign: ForeignNeed | undefined;
  readonly at: Position;
}

/** Finds instances by job name or by their own name. */
export class InstanceIndex {
  readonly #byName = new Map<string, readonly JobInstance[]>();

  constructor(instances: readonly JobInstance[]) {
    for (const instance of instances) {
      const base = instance.config.name;
      if (base !== instance.name) this.#byName.set(base, [...(this.#byName.get(base) ?? []), instance]);
    }
    for (const instance of instances) this.#byName.set(instance.name, [instance]);
  }

  find(name: string): readonly JobInstance[] {
    return this.#byName.get(name) ?? [];
  }
}

const MATRIX_BLOCK = /\$\[\[\s*matrix\.([\w-]+)\s*\]\]/g;

/**
 * The instances that the `needs` of one instance name (spec local-pipeline.md §9.5). A name nobody has stays one need
 * of that name, for the checks to see.
 */
export function resolveNeeds(
  instance: JobInstance,
  needs: readonly NeedConfig[],
  index: InstanceIndex,
  problems: Problems,
): readonly ResolvedNeed[] {
  const result = new Map<string, ResolvedNeed>();
  for (const need of needs) {
    for (const name of namesOf(instance, need, index, problems)) {
      result.set(name, {
        job: name,
        artifacts: need.artifacts,
        optional: need.optional,
        foreign: need.foreign,
        at: need.at,
      });
    }
  }
  return [...result.values()];
}

function namesOf(instance: JobInstance, need: NeedConfig, index: InstanceIndex, problems: Problems): readonly string[] {
  if (need.foreign !== undefined) return [need.job];
  const fill = (text: string): string => fillMatrix(text, instance, need.at, problems);
  const job = fill(need.job);
  if (need.matrix !== undefined) {
    return need.matrix.map((row) =>
      matrixName(
        job,
        row.map(([key, value]) => [key, fill(value)] as const),
      ),
    );
  }
  const found = index.find(job);
  return found.length === 0 ? [job] : found.map((item) => item.name);
}

function fillMatrix(text: string, instance: JobInstance, at: Position, problems: Problems): string {
  if (!text.includes('$[[')) return text;
  return text.replaceAll(MATRIX_BLOCK, (match: string, key: string) => {
    const value = valueIn(instance.matrix, key);
    if (value !== undefined) return value;
    problems.add(`${instance.config.name} job: '${key}' does not exist in matrix configuration`, at);
    return match;
  });
}

function valueIn(row: MatrixRow, key: string): string | undefined {
  return row.find(([name]) => name === key)?.[1];
}
