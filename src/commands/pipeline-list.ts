import type { CompiledJob } from '../pipeline/explain.ts';
import { formatTable } from '../pipeline/run/display/table.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { openCheckout, type PipelineOptions } from './pipeline-checkout.ts';
import { reportPipelineFailure } from './pipeline-failure.ts';

export interface PipelineListOptions extends PipelineOptions {
  /** Also the jobs that are left out. */
  readonly all?: boolean;
}

/** `millrace pipeline list`: the jobs that a run would have. @returns the exit code. */
export async function runPipelineList(
  options: PipelineListOptions,
  environment: CommandEnvironment,
  signal: AbortSignal,
): Promise<number> {
  try {
    const [checkout, { compilePipeline }] = await Promise.all([
      openCheckout(options, environment, signal),
      import('../pipeline/compile.ts'),
    ]);
    const compiled = await compilePipeline({ ...checkout.compileOptions, gitFacts: checkout.facts });
    const jobs = compiled.jobs.filter((job) => job.included || options.all === true);
    if (options.json === true) environment.stdout(`${JSON.stringify(jobs.map(jobData), null, 2)}\n`);
    else environment.stdout(jobs.length === 0 ? '' : jobTable(jobs, options.all === true));
    if (compiled.notRun !== undefined) environment.stderr(`${compiled.notRun}\n`);
    return 0;
  } catch (error) {
    return reportPipelineFailure(error, environment, options.json === true);
  }
}

function jobTable(jobs: readonly CompiledJob[], withReasons: boolean): string {
  const hasDescriptions = jobs.some((job) => job.description !== '');
  const columns = ['NAME', 'STAGE', 'WHEN', 'ALLOW FAILURE', 'NEEDS'];
  if (withReasons) columns.push('REASON');
  if (hasDescriptions) columns.push('DESCRIPTION');
  const rows = jobs.map((job) => [
    job.name,
    job.stage,
    job.when,
    allowFailureText(job),
    job.needs === null ? '' : `[${job.needs.join(', ')}]`,
    ...(withReasons ? [job.reason] : []),
    ...(hasDescriptions ? [job.description] : []),
  ]);
  return formatTable(columns, rows);
}

function allowFailureText(job: CompiledJob): string {
  if (job.allowFailure) return 'yes';
  return job.allowFailureExitCodes.length === 0 ? 'no' : `exit codes ${job.allowFailureExitCodes.join(', ')}`;
}

function jobData(job: CompiledJob) {
  return {
    name: job.name,
    stage: job.stage,
    description: job.description,
    when: job.when,
    included: job.included,
    reason: job.reason,
    allow_failure: job.allowFailure,
    allow_failure_exit_codes: job.allowFailureExitCodes,
    needs: job.needs,
    environment: job.environment ?? null,
    start_in_seconds: job.startInSeconds,
    file: job.file,
    line: job.line,
  };
}
