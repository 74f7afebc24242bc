import type { Clock } from '../../../lib/clock.ts';
import { errorMessage, MillraceError, PrepareError } from '../../../lib/errors.ts';
import type { ExecutorLog } from '../../port.ts';
import type { ImageInfo } from '../api/answers.ts';
import type { DockerClient } from '../api/docker-client.ts';
import { registryAuthHeader } from '../credentials/docker-config.ts';
import type { RegistryCredentials } from '../credentials/registry-credentials.ts';
import { parseImagePlatform } from './image-platform.ts';
import { pullTag, requireImageReference } from './image-reference.ts';
import type { ImageTracker } from './image-tracker.ts';
import { pullFailure, withMessage } from './pull-failure.ts';
import { effectivePolicies, list, type PullPolicy } from './pull-policy.ts';
import type { SharedPulls } from './pull-sharing.ts';

/** What an image of a job is asked for as. */
export interface ImageRequest {
  /** Expanded. */
  readonly name: string;
  /** `pull_policy` of the job's image or service; empty = the runner's. */
  readonly pullPolicies: readonly string[];
  /** `executor_opts.docker.platform`, expanded; empty = none. */
  readonly platform: string;
}

/** An image that is there. */
export interface ResolvedImage {
  readonly name: string;
  readonly id: string;
  /** For the `Image` of a container: a digest where there is one, else the id (spec docker.md §7.4). */
  readonly reference: string;
  /** `platform` of a container's create: that of the image; undefined where the job asks for none. */
  readonly platform: string | undefined;
  readonly info: ImageInfo;
}

/** The images of one job's environment. Methods may be called at the same time. */
export interface JobImages {
  /**
   * Makes an image present by its pull policies; each name is pulled once.
   * @throws JobConfigurationError, ImagePullError, ExternalDependencyError, PrepareError; the signal's reason.
   */
  resolve(request: ImageRequest, signal: AbortSignal): Promise<ResolvedImage>;
}

export interface JobImagesOptions {
  readonly client: DockerClient;
  readonly pulls: SharedPulls;
  readonly credentials: RegistryCredentials;
  readonly tracker: ImageTracker;
  readonly log: ExecutorLog;
  readonly clock: Clock;
  /** `pull_policy` and `allowed_pull_policies` of config.toml. */
  readonly policies: { readonly ofRunner: readonly string[]; readonly allowed: readonly string[] };
  /** `linux` or `windows`: of the machine of the runner. */
  readonly hostSystem: string;
  /** Pause before the second and third try of a pull that failed outside; tests make it short. */
  readonly retryPauseMs?: (attempt: number) => number;
}

const PULL_TRIES = 3;

export function createJobImages(options: JobImagesOptions): JobImages {
  const used = new Map<string, ResolvedImage>();
  return {
    resolve: async (request, signal) => {
      const job = { ...options, used };
      const image = await resolveByPolicies(job, request, signal);
      options.tracker.used(image);
      if (used.get(keyOf(request))?.id !== image.id) announce(image, options.log);
      used.set(keyOf(request), image);
      return image;
    },
  };
}

interface Job extends JobImagesOptions {
  readonly used: ReadonlyMap<string, ResolvedImage>;
}

function keyOf({ name, platform }: ImageRequest): string {
  return `${name} ${platform}`;
}

function announce({ name, id, info }: ResolvedImage, log: ExecutorLog): void {
  if (name === id) return;
  const digest = info.RepoDigests[0];
  log.print(`Using docker image ${id} for ${name} ${digest === undefined ? '' : `with digest ${digest} `}...`);
}

async function resolveByPolicies(job: Job, request: ImageRequest, signal: AbortSignal): Promise<ResolvedImage> {
  const { name } = request;
  const { ofRunner, allowed } = job.policies;
  const policies = effectivePolicies({ imageName: name, ofJob: request.pullPolicies, ofRunner, allowed });
  job.log.print(`Using effective pull policy of ${list(policies)} for container ${name}`);
  let failure: unknown;
  for (const [index, policy] of policies.entries()) {
    if (index > 0) job.log.info(`Attempt #${index + 1}: Trying "${policy}" pull policy`);
    try {
      return await resolveByPolicy(job, request, policy, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error;
      job.log.warning(`Failed to pull image with policy "${policy}": ${errorMessage(error)}`);
    }
  }
  const text = `failed to pull image ${JSON.stringify(name)} with specified policies ${list(policies)}: ${errorMessage(failure)}`;
  if (failure instanceof PrepareError) throw new PrepareError(text, { cause: failure });
  throw failure instanceof MillraceError ? withMessage(failure, text) : new PrepareError(text, { cause: failure });
}

async function resolveByPolicy(
  job: Job,
  request: ImageRequest,
  policy: PullPolicy,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const { client, log } = job;
  const { name } = request;
  const platform = parseImagePlatform(request.platform, job.hostSystem, log);
  const present = await client.inspectImage(name, platform === '' ? {} : { platform }, signal);
  if (present !== undefined) {
    if (job.used.get(keyOf(request))?.id === present.Id) return toResolved(name, platform, present);
    if (policy === 'never' || present.Id === name) return toResolved(name, platform, present);
    if (policy === 'if-not-present') {
      log.print(`Using locally found image version due to "if-not-present" pull policy`);
      return toResolved(name, platform, present);
    }
  }
  if (policy === 'never') {
    throw new PrepareError(`Error response from daemon: No such image: ${name}`, {
      hint: 'The pull policy "never" uses only images that are on the machine of the daemon already.',
    });
  }
  await pullWithRetries(job, { name, platform, policy }, signal);
  const pulled = await client.inspectImage(name, platform === '' ? {} : { platform }, signal);
  if (pulled === undefined) {
    throw pullFailure(new Error(`inspecting image ${JSON.stringify(name)} after pull: Error: No such image: ${name}`));
  }
  if (present === undefined) job.tracker.pulled(name, pulled.Id);
  return toResolved(name, platform, pulled);
}

interface Pull {
  readonly name: string;
  readonly platform: string;
  readonly policy: PullPolicy;
}

async function pullWithRetries(job: Job, pull: Pull, signal: AbortSignal): Promise<void> {
  const { log, clock } = job;
  const auth = await authHeader(job, pull.name, signal);
  log.print(`Pulling docker image ${pull.name} ${pull.platform === '' ? '' : `for platform ${pull.platform} `}...`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await pullOnce(job, pull, auth, signal);
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = pullFailure(error);
      if (!failure.retryable || attempt === PULL_TRIES) throw failure;
      log.warning(`Failed to pull image "${pull.name}" (attempt #${attempt}), retrying: ${failure.message}`);
      await clock.sleep((job.retryPauseMs ?? backOffMs)(attempt), signal);
    }
  }
}

async function pullOnce(job: Job, pull: Pull, auth: string | undefined, signal: AbortSignal): Promise<void> {
  const reference = requireImageReference(pull.name);
  const request = {
    repository: reference.repository,
    tag: pullTag(reference),
    ...(pull.platform === '' ? {} : { platform: pull.platform }),
    ...(auth === undefined ? {} : { registryAuth: auth }),
  };
  const onProgress = (text: string): void => job.log.print(`Still pulling docker image ${pull.name} (${text}) ...`);
  await job.pulls.pull(job.client, request, { mayJoinLate: pull.policy !== 'always', onProgress }, signal);
}

async function authHeader(job: Job, name: string, signal: AbortSignal): Promise<string | undefined> {
  const found = await job.credentials.find(name, signal);
  if (found === undefined) return undefined;
  job.log.print(`Authenticating with credentials from ${found.source}`);
  return registryAuthHeader(found.auth);
}

/** 2 s, 4 s, … up to 10 s, with a part by chance so that many jobs do not knock at once. */
function backOffMs(attempt: number): number {
  return Math.min(10_000, 2_000 * 2 ** (attempt - 1)) * (0.75 + Math.random() / 2);
}

function toResolved(name: string, platform: string, info: ImageInfo): ResolvedImage {
  const variant = info.Variant === '' ? [] : [info.Variant];
  return {
    name,
    id: info.Id,
    reference: info.RepoDigests[0] ?? info.Id,
    platform: platform === '' ? undefined : [info.Os, info.Architecture, ...variant].join('/'),
    info,
  };
}
