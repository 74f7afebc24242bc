import { errorMessage } from '../../../lib/errors.ts';
import type { DockerClient } from '../api/docker-client.ts';
import { type Labels, ownerLabels } from '../container/labels.ts';

/** A thing at the daemon that was made for a job. */
export interface JobThing {
  readonly kind: 'container' | 'volume' | 'network';
  /** What it is removed by. */
  readonly id: string;
  readonly name: string;
  readonly instance: string;
  /** Name of the job's folder in the journal of that instance. */
  readonly jobFolder: string;
  readonly createdAtMs: number;
}

/**
 * What was made for jobs, of one state folder's managers or of all. Volumes that later jobs use again are not among it.
 * @throws DaemonError
 */
export async function listJobThings(
  client: DockerClient,
  instance: string | undefined,
  signal: AbortSignal,
): Promise<readonly JobThing[]> {
  const owner = instance === undefined ? [] : [`${ownerLabels.instance}=${instance}`];
  const filters = { label: [ownerLabels.jobFolder, ...owner] };
  const [containers, volumes, networks] = await Promise.all([
    client.listContainers({ all: true, filters }, signal),
    client.listVolumes({ filters }, signal),
    client.listNetworks({ filters }, signal),
  ]);
  return [
    ...containers.map(({ Id, Names, Labels, Created }) =>
      thing({ kind: 'container', id: Id, name: (Names[0] ?? Id).replace(/^\//, '') }, Labels, Created * 1000),
    ),
    ...volumes.map(({ Name, Labels, CreatedAt }) =>
      thing({ kind: 'volume', id: Name, name: Name }, Labels, Date.parse(CreatedAt)),
    ),
    ...networks.map(({ Id, Name, Labels, Created }) =>
      thing({ kind: 'network', id: Id, name: Name }, Labels, Date.parse(Created)),
    ),
  ];
}

function thing(what: Pick<JobThing, 'kind' | 'id' | 'name'>, labels: Labels, createdAtMs: number): JobThing {
  const instance = labels[ownerLabels.instance] ?? '';
  const jobFolder = labels[ownerLabels.jobFolder] ?? '';
  // A time that cannot be read is a young one: what is not known to be old stays.
  return { ...what, instance, jobFolder, createdAtMs: Number.isNaN(createdAtMs) ? Date.now() : createdAtMs };
}

/** Removes things, what uses others first. @returns what could not be removed, each with its reason */
export async function removeJobThings(
  client: DockerClient,
  things: readonly JobThing[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const removeAll = async (kind: JobThing['kind'], remove: (id: string) => Promise<unknown>): Promise<void> => {
    await Promise.all(
      things
        .filter((one) => one.kind === kind)
        .map(async ({ id, name }) => {
          try {
            await remove(id);
          } catch (error) {
            problems.push(`${kind} ${name}: ${errorMessage(error)}`);
          }
        }),
    );
  };
  await removeAll('container', (id) => client.removeContainer(id, { volumes: true }, signal));
  await removeAll('volume', (id) => client.removeVolume(id, { force: true }, signal));
  await removeAll('network', (id) => client.removeNetwork(id, signal));
  return problems;
}

/**
 * Removes what killed managers of this state folder left of jobs that are over: the journal of the folder has them no
 * more. Jobs of other state folders are none of its business.
 */
export async function sweepLeftovers(
  client: DockerClient,
  { instance, hasJob }: { readonly instance: string; readonly hasJob: (jobFolder: string) => boolean },
  signal: AbortSignal,
): Promise<{ readonly removed: number; readonly problems: readonly string[] }> {
  const things = await listJobThings(client, instance, signal);
  const over = things.filter(({ jobFolder }) => !hasJob(jobFolder));
  const problems = await removeJobThings(client, over, signal);
  return { removed: over.length - problems.length, problems };
}
