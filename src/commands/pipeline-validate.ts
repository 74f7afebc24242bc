import { problemLine } from '../pipeline/problems.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { openCheckout, type PipelineOptions } from './pipeline-checkout.ts';
import { reportPipelineFailure } from './pipeline-failure.ts';

export type PipelineValidateOptions = PipelineOptions;

/**
 * `millrace pipeline validate`: says everything that is wrong, with file, line and column.
 * @returns 0, or 2 where anything is wrong.
 */
export async function runPipelineValidate(
  options: PipelineValidateOptions,
  environment: CommandEnvironment,
  signal: AbortSignal,
): Promise<number> {
  try {
    const [checkout, { compilePipeline }] = await Promise.all([
      openCheckout(options, environment, signal),
      import('../pipeline/compile.ts'),
    ]);
    const { notices, jobs, notRun } = await compilePipeline({ ...checkout.compileOptions, gitFacts: checkout.facts });
    if (options.json === true) {
      environment.stdout(`${JSON.stringify({ type: 'valid', jobs: jobs.length, notices })}\n`);
      return 0;
    }
    for (const notice of notices) environment.stderr(`${problemLine(notice)}\n`);
    if (notRun !== undefined) environment.stderr(`${notRun}\n`);
    const included = jobs.filter((job) => job.included).length;
    environment.stdout(`${checkout.compileOptions.rootFile} is valid: ${included} of ${jobs.length} jobs would run\n`);
    return 0;
  } catch (error) {
    return reportPipelineFailure(error, environment, options.json === true);
  }
}
