import { join } from 'node:path';
import { connectDocker } from '../executors/docker/api/connect.ts';
import { lookAtDisk } from '../executors/docker/disk-care/disk-look.ts';
import type { RemovableThing } from '../executors/docker/disk-care/removal-plan.ts';
import { dockerUsageFileName } from '../executors/docker/disk-care/usage-file.ts';
import { openUsageRecord } from '../executors/docker/disk-care/usage-record.ts';
import { CommandError } from '../lib/errors.ts';
import { isFolder } from '../platform/file-reading.ts';
import { instanceName } from '../platform/instance-name.ts';
import { defaultStateFolder } from '../platform/state-location.ts';
import type { CommandEnvironment } from './command-environment.ts';

export interface DockerPruneOptions {
  readonly maxSize: string;
  readonly minFree: string;
  readonly dryRun?: boolean;
  readonly host?: string;
  readonly stateDir?: string;
}

const limitMs = 30 * 60_000;

/**
 * `docker-prune`: what the disk care of `[runners.docker.disk_care]` does, once.
 * @throws CommandError, ConfigError, DaemonError, JobConfigurationError
 */
export async function runDockerPrune(options: DockerPruneOptions, environment: CommandEnvironment): Promise<void> {
  const { maxSize, minFree, dryRun = false, stateDir } = options;
  if (maxSize === '' && minFree === '') {
    throw new CommandError('how much room may be taken is missing', { hint: 'Give --max-size 20g or --min-free 15%.' });
  }
  const stateFolder = join(stateDir ?? defaultStateFolder(environment.env), 'journal');
  if (!(await isFolder(stateFolder))) {
    throw new CommandError(`no runner has kept its state in ${stateFolder}`, {
      hint: 'Give the --state-dir of `millrace run`, and run this as the account of the runner.',
    });
  }
  const client = await connectDocker({
    settings: { host: options.host ?? '', tlsCertPath: '', tlsVerify: false },
    environment: environment.env,
    platform: process.platform,
    workingDirectory: environment.workingDirectory,
  });
  const report = (error: unknown): never => {
    throw error;
  };
  try {
    const record = openUsageRecord(join(stateFolder, dockerUsageFileName), Date.now, report);
    const settings = { max_size: maxSize, min_free: minFree };
    const instance = instanceName(stateFolder);
    const parts = { client, record, instance, settings, nowMs: Date.now(), dryRun };
    const { removed, problems, state } = await lookAtDisk(parts, AbortSignal.timeout(limitMs));
    for (const thing of removed) environment.stdout(`${dryRun ? 'would remove' : 'removed'} ${describe(thing)}\n`);
    const freed = removed.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    environment.stdout(
      `in use before: ${megabytes(state.usedBytes)}, ${dryRun ? 'to free' : 'freed'}: ${megabytes(freed)}\n`,
    );
    if (problems.length > 0) throw new CommandError(`not removed:\n${problems.join('\n')}`);
  } finally {
    client.close();
  }
}

function describe({ kind, removeBy, sizeBytes, lastUsedMs }: RemovableThing): string {
  return `${kind} ${removeBy.join(' ')} (${megabytes(sizeBytes)}, last used ${new Date(lastUsedMs).toISOString()})`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
