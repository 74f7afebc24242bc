import { AbortReason } from '../lib/abort.ts';
import { CommandError, ConfigError, errorMessage, MillraceError, PipelineError } from '../lib/errors.ts';
import { problemLine } from '../pipeline/problems.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { product } from './product.ts';

/**
 * Says what a pipeline command could not do.
 * @returns 2 for anything wrong with configuration or call, 130 when it was stopped, 1 for the rest (spec local-pipeline.md §10.3).
 * @throws what is no failure but a bug.
 */
export function reportPipelineFailure(
  error: unknown,
  environment: Pick<CommandEnvironment, 'stdout' | 'stderr'>,
  json: boolean,
): number {
  if (error instanceof AbortReason) return 130;
  if (!(error instanceof MillraceError)) throw error;
  if (error instanceof PipelineError) {
    if (json) environment.stdout(`${JSON.stringify({ type: 'invalid', problems: error.problems })}\n`);
    else
      environment.stderr(error.problems.map((problem) => `${problemLine(problem)}\n`).join('') || `${error.message}\n`);
    return 2;
  }
  environment.stderr(`${product.name}: ${errorMessage(error)}\n`);
  if (error.hint !== undefined) environment.stderr(`${error.hint}\n`);
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof ConfigError ? 2 : 1;
}
