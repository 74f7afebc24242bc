import { posix, win32 } from 'node:path';
import { JobConfigurationError, PrepareError } from '../../../lib/errors.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import { expandText } from '../../../variables/expand.ts';
import { variableLookup } from '../../../variables/lookup.ts';
import { type Labels, prefixed } from './labels.ts';
import {
  hostCacheFolder,
  type ObjectNames,
  reusableVolumeName,
  temporaryVolumeName,
  type VolumeNaming,
} from './names.ts';
import { bindText, parseVolumeSpec } from './volume-spec.ts';

/** The keys of `[runners.docker]` that decide about volumes. */
export interface VolumeSettings {
  readonly volumes: readonly string[];
  readonly disable_cache: boolean;
  readonly cache_dir: string;
  readonly volume_driver: string;
  readonly volume_driver_ops: Readonly<Record<string, string>>;
}

export interface PlannedVolume {
  readonly name: string;
  readonly destination: string;
  readonly labels: Labels;
  /** Removed with the job. */
  readonly isTemporary: boolean;
}

export interface VolumePlan {
  /** For every container of the job. */
  readonly binds: readonly string[];
  /** Volumes that the runner makes. */
  readonly volumes: readonly PlannedVolume[];
  /** The build folder is on a volume of this job alone: nothing is in it before, nothing is read of it after. */
  readonly isBuildFolderFresh: boolean;
}

/**
 * Which volumes a job's containers get (spec docker.md §11): the configured ones, then one for the build folder.
 * @throws JobConfigurationError for an entry that cannot be used
 */
export function planVolumes(plan: BuildPlan, settings: VolumeSettings, names: ObjectNames): VolumePlan {
  const system = isWindowsPath(plan.directories.root) ? 'windows' : 'unix';
  const lookup = variableLookup(plan.variables, plan.directories.temporary);
  const made = new Map<string, { readonly bind: string; readonly volume?: PlannedVolume }>();
  const makeVolume = (destination: string, isTemporary: boolean): void => {
    made.set(destination, cacheVolume({ plan, settings, names, destination, isTemporary }));
  };
  for (const text of settings.volumes) {
    const spec = parseVolumeSpec(text, system);
    const destination = absolute(expandText(spec.destination, lookup), plan, system);
    if (made.has(destination)) throw new PrepareError(`volume for container path "${destination}" is already defined`);
    if (spec.source === '') makeVolume(destination, settings.disable_cache);
    else made.set(destination, { bind: bindText({ ...spec, destination }) });
  }
  const { root } = plan.directories;
  const isForeign = made.has(root) || [...made.keys()].some((folder) => isBelow(root, folder) || isBelow(folder, root));
  if (!made.has(root)) makeVolume(root, settings.disable_cache || plan.volumes?.keepsBuilds !== true);
  const all = [...made.values()];
  return {
    binds: all.map(({ bind }) => bind),
    volumes: all.flatMap(({ volume }) => volume ?? []),
    isBuildFolderFresh: !isForeign && made.get(root)?.volume?.isTemporary === true,
  };
}

interface CacheVolume {
  readonly plan: BuildPlan;
  readonly settings: VolumeSettings;
  readonly names: ObjectNames;
  readonly destination: string;
  readonly isTemporary: boolean;
}

function cacheVolume(request: CacheVolume): { readonly bind: string; readonly volume?: PlannedVolume } {
  const { plan, settings, names, destination, isTemporary } = request;
  const naming: VolumeNaming = { destination, isProtected: plan.volumes?.areProtected ?? plan.job.isProtected };
  if (!isTemporary && settings.cache_dir !== '') {
    return { bind: `${hostCacheFolder(settings.cache_dir, plan, naming)}:${destination}` };
  }
  const name = isTemporary ? temporaryVolumeName(names, naming) : reusableVolumeName(plan, naming);
  const labels = prefixed({
    type: 'cache',
    destination,
    protected: String(naming.isProtected),
    reusable: String(!isTemporary),
  });
  return { bind: `${name}:${destination}`, volume: { name, destination, labels, isTemporary } };
}

function absolute(destination: string, plan: BuildPlan, system: 'unix' | 'windows'): string {
  const path = system === 'unix' ? posix : win32;
  const full =
    path.isAbsolute(destination) || /^[a-z]:$/i.test(destination)
      ? path.normalize(destination)
      : path.join(plan.directories.project, destination);
  const clean = full.length > 1 ? full.replace(/[\\/]+$/, '') : full;
  if (clean === '/' || clean === '') throw new JobConfigurationError('build directory needs to be a non-root path');
  return clean;
}

/** Whether `path` is in `folder`. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** Whether the build folder comes from the daemon's host or a named volume: builds then share it (spec docker.md §3.6). */
export function isBuildFolderMounted(root: string, volumes: readonly string[]): boolean {
  const system = isWindowsPath(root) ? 'windows' : 'unix';
  return volumes
    .map((text) => parseVolumeSpec(text, system))
    .some(({ source, destination }) => source !== '' && (destination === root || isBelow(root, destination)));
}

function isWindowsPath(path: string): boolean {
  return /^[A-Za-z]:/.test(path);
}
