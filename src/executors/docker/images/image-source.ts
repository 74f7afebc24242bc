import type { DockerConfig } from '../../../config/docker-schema.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import { expandText } from '../../../variables/expand.ts';
import { variableLookup } from '../../../variables/lookup.ts';
import type { ExecutorLog } from '../../port.ts';
import type { DockerClient } from '../api/docker-client.ts';
import { createRegistryCredentials } from '../credentials/registry-credentials.ts';
import type { HelperImageStore } from '../helper-image/choose-helper-image.ts';
import type { ImageTracker } from './image-tracker.ts';
import { createJobImages, type JobImages, type ResolvedImage } from './job-images.ts';
import type { SharedPulls } from './pull-sharing.ts';

export interface ImageSourceOptions {
  /** Of the manager; credential helpers get it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the runner's account, for its Docker configuration; empty = none. */
  readonly homeFolder: string;
  readonly workingDirectory: string;
  /** `process.platform` */
  readonly platform: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** One for all jobs. */
  readonly pulls: SharedPulls;
  readonly helperImages: HelperImageStore;
}

export interface ImagesOfJob {
  readonly images: JobImages;
  /** The helper image, by all the ways to choose it (spec docker.md §6). */
  readonly helperImage: (signal: AbortSignal) => Promise<ResolvedImage>;
}

export interface ImagesRequest {
  readonly client: DockerClient;
  readonly settings: DockerConfig;
  readonly plan: BuildPlan;
  readonly log: ExecutorLog;
  readonly tracker: ImageTracker;
}

/** Images, pull policies and credentials of one job's environment. */
export function imagesOfJob(options: ImageSourceOptions, request: ImagesRequest): ImagesOfJob {
  const { client, settings, plan, log, tracker } = request;
  const lookup = variableLookup(plan.variables, plan.directories.temporary);
  const images = createJobImages({
    client,
    pulls: options.pulls,
    credentials: createRegistryCredentials({
      plan,
      host: { environment: options.environment, workingDirectory: options.workingDirectory },
      homeFolder: options.homeFolder,
      warn: (text) => log.warning(text),
      debug: (text) => options.logger.debug('Registry credentials', { text }),
    }),
    tracker,
    log,
    clock: options.clock,
    policies: { ofRunner: settings.pull_policy, allowed: settings.allowed_pull_policies },
    hostSystem: options.platform === 'win32' ? 'windows' : options.platform,
  });
  const override = expandText(settings.helper_image, lookup);
  const flavor = expandText(settings.helper_image_flavor, lookup);
  return {
    images,
    helperImage: (signal) => options.helperImages.resolve({ client, images, log, override, flavor }, signal),
  };
}
