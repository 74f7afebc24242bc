import { checkOnStop } from '../keywords/environment.ts';
import type { NeedConfig } from '../keywords/needs.ts';
import type { Problems } from '../problems.ts';
import type { Position } from '../yaml/nodes.ts';
import type { JobInstance } from './instances.ts';
import { InstanceIndex, resolveNeeds } from './needs.ts';

const MAX_NEEDS = 50;

/** The checks of how jobs fit together (spec local-pipeline.md §14), on all that are defined. */
export function checkGraph(instances: readonly JobInstance[], stages: readonly string[], problems: Problems): void {
  const checker = new GraphChecker(instances, stages, problems);
  for (const instance of instances) checker.check(instance);
  const first = instances[0];
  if (first !== undefined) {
    const edges = new Map(instances.map((instance) => [instance.name, checker.targets(instance)]));
    checkCycles(
      edges,
      (name) => instances.find((instance) => instance.name === name)?.config.at ?? first.config.at,
      problems,
    );
  }
}

/** Reports the first circle of needs. `placeOf` says where a job stands. */
export function checkCycles(
  edges: ReadonlyMap<string, readonly string[]>,
  placeOf: (name: string) => Position,
  problems: Problems,
): void {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const cycle = findCycle(start, edges, [], done);
    if (cycle === undefined) continue;
    const text = cycle.length === 1 ? `self-dependency: ${cycle[0]}` : cycle.join(', ');
    problems.add(`The pipeline has circular dependencies: ${text}`, placeOf(cycle[0] ?? start));
    return;
  }
}

function findCycle(
  name: string,
  edges: ReadonlyMap<string, readonly string[]>,
  path: string[],
  done: Set<string>,
): readonly string[] | undefined {
  const seen = path.indexOf(name);
  if (seen >= 0) return path.slice(seen);
  if (done.has(name)) return undefined;
  path.push(name);
  for (const next of edges.get(name) ?? []) {
    const cycle = findCycle(next, edges, path, done);
    if (cycle !== undefined) return cycle;
  }
  path.pop();
  done.add(name);
  return undefined;
}

class GraphChecker {
  readonly #index: InstanceIndex;
  readonly #stages: readonly string[];
  readonly #problems: Problems;

  constructor(instances: readonly JobInstance[], stages: readonly string[], problems: Problems) {
    this.#index = new InstanceIndex(instances);
    this.#stages = stages;
    this.#problems = problems;
  }

  check(instance: JobInstance): void {
    const { config } = instance;
    if (!this.#stages.includes(config.stage)) {
      const known = this.#stages.join(', ');
      this.#add(
        config.name,
        `chosen stage ${config.stage} does not exist; available stages are ${known}`,
        config.stageAt,
      );
      return;
    }
    if (config.needs !== undefined) this.#checkNeeds(instance, config.needs);
    for (const rule of config.rules ?? []) if (rule.needs !== undefined) this.#checkNeeds(instance, rule.needs);
    this.#checkDependencies(instance);
    checkOnStop(config, (name) => this.#index.find(name)[0]?.config, this.#problems);
  }

  /** Names of the needs that exist. */
  targets(instance: JobInstance): readonly string[] {
    return resolveNeeds(instance, instance.config.needs ?? [], this.#index, this.#problems)
      .filter((need) => need.foreign === undefined)
      .map((need) => need.job)
      .filter((name) => this.#index.find(name).length > 0);
  }

  #checkNeeds(instance: JobInstance, needs: readonly NeedConfig[]): void {
    const { name } = instance.config;
    const resolved = resolveNeeds(instance, needs, this.#index, this.#problems);
    const plain = needs.filter((need) => need.matrix === undefined && need.foreign === undefined);
    const written = plain.map((need) => need.job);
    const twice = plain.filter((need) => written.indexOf(need.job) !== written.lastIndexOf(need.job));
    if (twice[0] !== undefined) {
      const names = [...new Set(twice.map((need) => need.job))].join(', ');
      this.#problems.add(`${name} has the following needs duplicated: ${names}.`, twice[0].at);
    }
    if (needs.length > MAX_NEEDS) {
      const at = needs[MAX_NEEDS]?.at ?? instance.config.at;
      this.#add(name, `one job can only need ${MAX_NEEDS} others, but you have listed ${needs.length}.`, at);
    }
    for (const need of resolved) {
      if (need.foreign !== undefined) continue;
      const target = this.#index.find(need.job)[0];
      if (target === undefined) {
        if (!need.optional) this.#add(name, `undefined need: ${need.job}`, need.at);
      } else if (this.#isLater(target, instance)) {
        this.#add(name, `need ${need.job} is not defined in current or prior stages`, need.at);
      }
    }
  }

  #checkDependencies(instance: JobInstance): void {
    const { config } = instance;
    for (const dependency of config.dependencies ?? []) {
      const target = this.#index.find(dependency.job)[0];
      if (target === undefined) this.#add(config.name, `undefined dependency: ${dependency.job}`, dependency.at);
      else if (this.#isLater(target, instance)) {
        this.#add(config.name, `dependency ${dependency.job} is not defined in current or prior stages`, dependency.at);
      } else if (config.needs !== undefined && !config.needs.some((need) => this.#isNamed(need, dependency.job))) {
        this.#add(config.name, `dependencies the ${dependency.job} should be part of needs`, dependency.at);
      }
    }
  }

  #isNamed(need: NeedConfig, job: string): boolean {
    return need.job === job || this.#index.find(job).some((target) => target.config.name === need.job);
  }

  #isLater(target: JobInstance, than: JobInstance): boolean {
    return this.#stages.indexOf(target.config.stage) > this.#stages.indexOf(than.config.stage);
  }

  #add(job: string, text: string, at: Position): void {
    this.#problems.add(`${job} job: ${text}`, at);
  }
}
