import type { CommandEnvironment } from './command-environment.ts';
import { openCheckout, type PipelineOptions } from './pipeline-checkout.ts';
import { reportPipelineFailure } from './pipeline-failure.ts';

export type PipelinePreviewOptions = PipelineOptions;

/** `millrace pipeline preview`: the merged configuration, as YAML or JSON. @returns the exit code. */
export async function runPipelinePreview(
  options: PipelinePreviewOptions,
  environment: CommandEnvironment,
  signal: AbortSignal,
): Promise<number> {
  try {
    const [checkout, { compilePipeline }] = await Promise.all([
      openCheckout(options, environment, signal),
      import('../pipeline/compile.ts'),
    ]);
    const { effective } = await compilePipeline({ ...checkout.compileOptions, gitFacts: checkout.facts });
    environment.stdout(options.json === true ? `${JSON.stringify(effective, null, 2)}\n` : await yamlText(effective));
    return 0;
  } catch (error) {
    return reportPipelineFailure(error, environment, options.json === true);
  }
}

/** Read again it gives the same: texts that YAML 1.1 would take for something else are quoted. */
async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 });
}
