import type { DockerConfig } from '../../../config/docker-schema.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import type { JobIo } from '../../port.ts';
import type { DockerClient } from '../api/docker-client.ts';
import type { Labels, Owner } from '../container/labels.ts';
import type { ObjectNames } from '../container/names.ts';
import type { VolumePlan } from '../container/volume-plan.ts';
import type { EndingTimes } from '../stage/end-container.ts';
import type { EnvironmentHandle } from './environment-handle.ts';
import type { JobImages } from './job-images.ts';
import type { PlannedService } from './service-list.ts';

/** What everything that is made for one job is made from. */
export interface JobContext {
  readonly client: DockerClient;
  readonly settings: DockerConfig;
  readonly plan: BuildPlan;
  readonly io: JobIo;
  readonly handle: EnvironmentHandle;
  readonly names: ObjectNames;
  readonly owner: Owner;
  readonly labels: Labels;
  readonly volumes: VolumePlan;
  readonly services: readonly PlannedService[];
  readonly images: JobImages;
  /** What has to be ended with the job. */
  readonly ends: readonly (() => void)[];
  readonly onCleanup: (end: () => void) => void;
  readonly times: EndingTimes;
}

export function isOn(plan: BuildPlan, flag: string): boolean {
  return plan.featureFlags[flag] ?? false;
}
