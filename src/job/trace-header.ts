import type { BuildPlan } from '../plan/build-plan.ts';
import type { TraceLog } from '../trace/port.ts';

/** The first lines of every trace (spec job-execution.md §14); our own name stands in the first. */
export function writeHeader(log: TraceLog, productLine: string, plan: BuildPlan): void {
  const { runner, changedFeatureFlags } = plan;
  log.print(`Running with ${productLine}`);
  if (runner.shortToken !== '') log.print(`  on ${runner.name} ${runner.shortToken}, system ID: ${runner.systemId}`);
  if (changedFeatureFlags.length > 0) log.print(`  feature flags: ${changedFeatureFlags.join(', ')}`);
}
