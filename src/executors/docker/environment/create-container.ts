import { DaemonError, JobConfigurationError } from '../../../lib/errors.ts';
import type { ContainerConfig } from '../api/requests.ts';
import type { JobContext } from './job-context.ts';

/**
 * Makes a container; one of that name that is left is removed first.
 * @throws JobConfigurationError where the daemon finds the request wrong; DaemonError
 */
export async function createContainer(
  { client }: Pick<JobContext, 'client'>,
  config: ContainerConfig,
  { name, platform }: { readonly name: string; readonly platform: string },
  signal: AbortSignal,
): Promise<void> {
  const options = { name, ...(platform === '' ? {} : { platform }) };
  try {
    await client.createContainer(config, options, signal);
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    if (error.kind === 'invalid') throw new JobConfigurationError(error.message, { cause: error });
    if (error.kind !== 'conflict') throw error;
    await client.removeContainer(name, { volumes: true }, signal);
    await client.createContainer(config, options, signal);
  }
}
