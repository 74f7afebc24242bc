import type { ContainerInfo } from '../api/answers.ts';
import type { DockerClient } from '../api/docker-client.ts';

/**
 * Whether the daemon was told to kill the container, or did so because it is stopping: then its exit code is none of
 * the script's. Asked for after codes that a kill gives.
 */
export async function wasKilledFromOutside(client: DockerClient, { Id, State }: ContainerInfo): Promise<boolean> {
  const [since, until] = [State.StartedAt, State.FinishedAt].map((time) => Date.parse(time) / 1000);
  const options = {
    filters: { container: [Id], event: ['kill'] },
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until: until + 0.5 }),
  };
  const limit = AbortSignal.timeout(2500);
  try {
    const events = await client.events(options, limit);
    for await (const event of events) {
      if (event.Action === 'kill') return true;
    }
  } catch {
    // A daemon that cannot answer is about to stop: it is that what killed the container.
    return true;
  }
  return false;
}
