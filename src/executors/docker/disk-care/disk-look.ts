import type { DockerConfig } from '../../../config/docker-schema.ts';
import { errorMessage, JobConfigurationError } from '../../../lib/errors.ts';
import { diskSpace } from '../../../platform/disk-space.ts';
import type { DiskUsage } from '../api/answers.ts';
import type { DockerClient } from '../api/docker-client.ts';
import { labelPrefix, ownerLabels } from '../container/labels.ts';
import { parseMemorySize } from '../container/memory-size.ts';
import { type DiskBudget, type DiskState, planRemovals, type RemovableThing } from './removal-plan.ts';
import type { DaemonUsage, UsageRecord } from './usage-record.ts';

export type DiskCareSettings = Pick<DockerConfig['disk_care'], 'max_size' | 'min_free'>;

export interface DiskLookOptions {
  readonly client: DockerClient;
  readonly record: UsageRecord;
  /** Of the state folder: only its volumes are looked at. */
  readonly instance: string;
  readonly settings: DiskCareSettings;
  readonly nowMs: number;
  /** What was used this short a time ago may be on its way into a container. Default 10 minutes. */
  readonly restMs?: number;
  readonly dryRun: boolean;
}

export interface DiskLook {
  readonly state: DiskState;
  /** Removed, or with a dry run what would be. */
  readonly removed: readonly RemovableThing[];
  readonly problems: readonly string[];
}

const REST_MS = 600_000;

/**
 * One look at a daemon's disk: what is over the budget goes, least recently used first. Only images that this manager
 * pulled (absent before, no name but those it pulled them under, no container) and its cache volumes that no container
 * uses; never by force, so the daemon has the last word.
 * @throws DaemonError, JobConfigurationError; the signal's reason.
 */
export async function lookAtDisk(options: DiskLookOptions, signal: AbortSignal): Promise<DiskLook> {
  const { client, record, settings, dryRun } = options;
  const [usage, containers, info] = await Promise.all([
    client.diskUsage(signal),
    client.listContainers({ all: true, filters: {} }, signal),
    client.info(signal),
  ]);
  const known = record.of(client.address);
  const space = client.address.startsWith('unix:') ? await diskSpace(info.DockerRootDir) : undefined;
  const ours = ourVolumes(usage, options.instance);
  const pulled = usage.Images.filter(({ Id }) => known.images[Id] !== undefined);
  const usedBytes = sum(pulled.map(ownSize)) + sum(ours.map(volumeSize));
  const inUse = new Set(containers.map(({ ImageID }) => ImageID));
  const before = options.nowMs - (options.restMs ?? REST_MS);
  const things = [...removableImages(pulled, known, inUse), ...removableVolumes(ours, known)].filter(
    ({ lastUsedMs }) => lastUsedMs < before,
  );
  const state = { usedBytes, freeBytes: space?.freeBytes };
  const going = planRemovals(things, state, budgetOf(settings, space?.totalBytes));
  if (dryRun) return { state, removed: going, problems: [] };
  const outcome = await removeAll(client, going, signal);
  const gone = new Set(outcome.removed.map(({ name }) => name));
  record.keepOnly(
    client.address,
    new Set(usage.Images.map(({ Id }) => Id).filter((id) => !gone.has(id))),
    new Set(ours.map(({ Name }) => Name).filter((name) => !gone.has(name))),
  );
  return { state, ...outcome };
}

/** @throws JobConfigurationError */
export function budgetOf(settings: DiskCareSettings, totalBytes: number | undefined): DiskBudget {
  const maxBytes = parseMemorySize(settings.max_size, 'disk_care.max_size');
  const share = /^(\d+(?:\.\d+)?) ?%$/.exec(settings.min_free.trim())?.[1];
  if (share === undefined) return { maxBytes, minFreeBytes: parseMemorySize(settings.min_free, 'disk_care.min_free') };
  if (Number(share) >= 100) {
    throw new JobConfigurationError(
      `[runners.docker] disk_care.min_free: ${settings.min_free} of a disk cannot be free`,
    );
  }
  return { maxBytes, minFreeBytes: totalBytes === undefined ? undefined : (totalBytes * Number(share)) / 100 };
}

type UsageImage = DiskUsage['Images'][number];
type UsageVolume = DiskUsage['Volumes'][number];

function removableImages(
  pulled: readonly UsageImage[],
  known: DaemonUsage,
  inUse: ReadonlySet<string>,
): readonly RemovableThing[] {
  return pulled.flatMap((image): RemovableThing[] => {
    const { Id } = image;
    const entry = known.images[Id];
    const tags = image.RepoTags.filter((tag) => tag !== '<none>:<none>');
    if (entry === undefined || inUse.has(Id)) return [];
    if (!tags.every((tag) => entry.names.some((name) => isSameName(name, tag)))) return [];
    const removeBy = tags.length > 0 ? tags : [Id];
    return [{ kind: 'image', name: Id, removeBy, sizeBytes: ownSize(image), lastUsedMs: entry.lastUsedMs }];
  });
}

/** Jobs write `ruby` for what the daemon calls `ruby:latest`. */
function isSameName(name: string, tag: string): boolean {
  const short = name.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, '').replace(/@sha256:.*$/, '');
  return short === tag || `${short}:latest` === tag;
}

function ourVolumes(usage: DiskUsage, instance: string): readonly UsageVolume[] {
  return usage.Volumes.filter(
    ({ Labels }) =>
      Labels[ownerLabels.instance] === instance &&
      Labels[`${labelPrefix}.type`] === 'cache' &&
      Labels[ownerLabels.jobFolder] === undefined,
  );
}

function removableVolumes(volumes: readonly UsageVolume[], known: DaemonUsage): readonly RemovableThing[] {
  return volumes
    .filter(({ UsageData }) => UsageData?.RefCount === 0)
    .map((volume) => ({
      kind: 'volume',
      name: volume.Name,
      removeBy: [volume.Name],
      sizeBytes: volumeSize(volume),
      lastUsedMs: known.volumes[volume.Name]?.lastUsedMs ?? (Date.parse(volume.CreatedAt) || 0),
    }));
}

/** What goes with the image: layers that other images have too stay. */
function ownSize({ Size, SharedSize }: UsageImage): number {
  return Math.max(0, Size - Math.max(0, SharedSize));
}

function volumeSize({ UsageData }: UsageVolume): number {
  return Math.max(0, UsageData?.Size ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function removeAll(client: DockerClient, things: readonly RemovableThing[], signal: AbortSignal) {
  const removed: RemovableThing[] = [];
  const problems: string[] = [];
  for (const thing of things) {
    try {
      for (const name of thing.removeBy) {
        if (thing.kind === 'image') await client.removeImage(name, signal);
        else await client.removeVolume(name, { force: false }, signal);
      }
      removed.push(thing);
    } catch (error) {
      if (signal.aborted) throw error;
      // In use since the look, or an image below another one: the next look sees it again.
      problems.push(`${thing.kind} ${thing.name}: ${errorMessage(error)}`);
    }
  }
  return { removed, problems };
}
