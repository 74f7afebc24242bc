import { errorMessage } from '../../../lib/errors.ts';
import type { CleanupReport } from '../../port.ts';
import type { DockerClient } from '../api/docker-client.ts';
import type { EnvironmentHandle } from './environment-handle.ts';

export interface RemovalOptions {
  readonly client: DockerClient;
  readonly handle: EnvironmentHandle;
  /** `volume_keep`: volumes without a name stay. */
  readonly keepsVolumes: boolean;
}

/** Removes all that was made for an environment; what is gone already is fine. Never throws. */
export async function removeEnvironment(options: RemovalOptions, signal: AbortSignal): Promise<CleanupReport> {
  const { client, handle, keepsVolumes } = options;
  const leftovers: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      leftovers.push(`${what}: ${errorMessage(error)}`);
    }
  };
  await Promise.all(
    handle.containers.map((name) =>
      attempt(`container ${name}`, () => client.removeContainer(name, { volumes: !keepsVolumes }, signal)),
    ),
  );
  await Promise.all([
    ...handle.temporaryVolumes.map((name) =>
      attempt(`volume ${name}`, () => client.removeVolume(name, { force: true }, signal)),
    ),
    handle.network === ''
      ? undefined
      : attempt(`network ${handle.network}`, () => removeNetwork(client, handle.network, signal)),
  ]);
  return { leftovers };
}

/** With what the job itself attached to it. */
async function removeNetwork(client: DockerClient, name: string, signal: AbortSignal): Promise<void> {
  const network = await client.inspectNetwork(name, signal);
  if (network === undefined) return;
  await Promise.all(Object.keys(network.Containers).map((id) => client.removeContainer(id, { volumes: true }, signal)));
  await client.removeNetwork(network.Id, signal);
}
