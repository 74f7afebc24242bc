import { createHash } from 'node:crypto';
import type { BuildPlan } from '../../../plan/build-plan.ts';

/** What one executor's things at the daemon are called (spec docker.md §4). */
export interface ObjectNames {
  /** `<project unique name>-<16 hex>`; new for every prepared environment. */
  readonly base: string;
  readonly build: string;
  readonly helper: string;
  readonly network: string;
}

/** @param suffix 16 hex digits, never used before. */
export function objectNames(plan: BuildPlan, suffix: string): ObjectNames {
  const base = `${plan.names.unique}-${suffix}`;
  return { base, build: `${base}-build`, helper: `${base}-predefined`, network: plan.names.uniqueShort };
}

/** @param index position in the combined list of services. */
export function serviceContainerName(names: ObjectNames, service: string, index: number): string {
  return `${names.base}-${service.replaceAll('/', '__')}-${index}`;
}

export interface VolumeNaming {
  readonly destination: string;
  readonly isProtected: boolean;
}

/** A volume that later jobs of the same project and concurrency number use again. */
export function reusableVolumeName(plan: BuildPlan, volume: VolumeNaming): string {
  return `${plan.names.volume}-cache-${volumeKey(volume)}`;
}

/** A volume that goes with its job. */
export function temporaryVolumeName(names: ObjectNames, volume: VolumeNaming): string {
  return `${names.base}-cache-${volumeKey(volume)}`;
}

/** Folder on the daemon's host that stands in for a volume where `cache_dir` is set. */
export function hostCacheFolder(cacheDir: string, plan: BuildPlan, volume: VolumeNaming): string {
  return `${cacheDir.replace(/\/+$/, '')}/${plan.names.volume}/${volumeKey(volume)}`;
}

function volumeKey({ destination, isProtected }: VolumeNaming): string {
  return `${createHash('md5').update(destination).digest('hex')}${isProtected ? '-protected' : ''}`;
}
