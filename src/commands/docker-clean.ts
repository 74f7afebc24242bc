import { connectDocker } from '../executors/docker/api/connect.ts';
import { type JobThing, listJobThings, removeJobThings } from '../executors/docker/environment/leftovers.ts';
import { CommandError } from '../lib/errors.ts';
import { parseGoDuration } from '../lib/go-duration.ts';
import type { CommandEnvironment } from './command-environment.ts';

export interface DockerCleanOptions {
  readonly olderThan: string;
  readonly host?: string;
  readonly dryRun?: boolean;
}

const limitMs = 10 * 60_000;

/**
 * `docker-clean`: removes containers, volumes and networks that any Millrace runner made for jobs at a daemon and that
 * are old. Only whoever calls it knows that no other runner needs them any more.
 * @throws CommandError, ConfigError, DaemonError
 */
export async function runDockerClean(options: DockerCleanOptions, environment: CommandEnvironment): Promise<void> {
  const ageMs = parseGoDuration(options.olderThan);
  if (ageMs === undefined || ageMs < 0) {
    throw new CommandError(`--older-than: ${JSON.stringify(options.olderThan)} is not a duration`, {
      hint: 'Write it like 24h or 90m. It must be longer than the longest job of any runner of this daemon.',
    });
  }
  const client = await connectDocker({
    settings: { host: options.host ?? '', tlsCertPath: '', tlsVerify: false },
    environment: environment.env,
    platform: process.platform,
    workingDirectory: environment.workingDirectory,
  });
  try {
    const signal = AbortSignal.timeout(limitMs);
    const old = (await listJobThings(client, undefined, signal)).filter(
      ({ createdAtMs }) => createdAtMs < Date.now() - ageMs,
    );
    for (const thing of old)
      environment.stdout(`${options.dryRun === true ? 'would remove' : 'removing'} ${say(thing)}\n`);
    if (options.dryRun === true) return;
    const problems = await removeJobThings(client, old, signal);
    if (problems.length > 0) throw new CommandError(`not removed:\n${problems.join('\n')}`);
  } finally {
    client.close();
  }
}

function say({ kind, name, instance, createdAtMs }: JobThing): string {
  return `${kind} ${name} (made ${new Date(createdAtMs).toISOString()} by instance ${instance})`;
}
