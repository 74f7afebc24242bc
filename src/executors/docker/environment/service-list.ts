import type { DockerConfig } from '../../../config/docker-schema.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import type { ObjectNames } from '../container/names.ts';

export function serviceContainerNames(
  _plan: BuildPlan,
  _settings: DockerConfig,
  _names: ObjectNames,
): readonly string[] {
  return [];
}
