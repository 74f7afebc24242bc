import type { RunnerConfig } from '../config/runner-config.ts';
import { shortToken } from '../lib/short-token.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { JobTrace, TraceLog } from '../trace/port.ts';

/** The first lines of every trace (spec job-execution.md §14); our own name stands in the first. */
export function writeHeader(log: TraceLog, productLine: string, plan: BuildPlan): void {
  const { runner, changedFeatureFlags } = plan;
  writeRunner(log, productLine, runner);
  if (changedFeatureFlags.length > 0) log.print(`  feature flags: ${changedFeatureFlags.join(', ')}`);
}

/** The trace of a job that cannot be planned begins as any other: it tells which runner had it. */
export function writeHeaderWithoutPlan(trace: JobTrace, productLine: string, runner: RunnerConfig): void {
  const { name, token, systemId, executor } = runner;
  writeRunner(trace.log, productLine, { name, shortToken: shortToken(token), systemId });
  trace.startSection('prepare_executor', `Preparing the "${executor}" executor`);
  trace.endSection('prepare_executor');
}

function writeRunner(
  log: TraceLog,
  productLine: string,
  runner: Pick<BuildPlan['runner'], 'name' | 'shortToken' | 'systemId'>,
): void {
  log.print(`Running with ${productLine}`);
  if (runner.shortToken !== '') log.print(`  on ${runner.name} ${runner.shortToken}, system ID: ${runner.systemId}`);
}
