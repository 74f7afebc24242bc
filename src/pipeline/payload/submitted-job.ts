import type { SubmittedJob, SubmittedVariable } from '../../coordinator/submission.ts';
import type { CacheKeyMaker } from '../cache-keys.ts';
import type { DecidedJob } from '../decide.ts';
import type { InstanceIndex } from '../graph/needs.ts';
import type { JobConfig } from '../keywords/job.ts';
import type { Problems } from '../problems.ts';
import { payloadArtifacts } from './artifacts.ts';
import { payloadImage } from './image.ts';
import { releaseScript } from './release-step.ts';
import { secretPayload } from './secrets.ts';

/** What submitted jobs need beside the decision about them. */
export interface SubmissionFacts {
  readonly cacheKeys: CacheKeyMaker;
  /** Of the jobs that are in the pipeline. */
  readonly included: InstanceIndex;
  readonly defaultTimeoutSeconds: number;
  readonly allowRelease: boolean;
  readonly problems: Problems;
}

/** One job as the coordinator takes it. */
export async function submittedJob(job: DecidedJob, facts: SubmissionFacts): Promise<SubmittedJob> {
  const { config, name } = job.instance;
  const { scope } = job.variables;
  return {
    name,
    stage: config.stage,
    needs: job.needs === null ? null : presentNeeds(job, facts.included),
    dependencies: presentDependencies(config, facts.included),
    when: job.when,
    allow_failure: job.allowFailure.always,
    allow_failure_exit_codes: [...job.allowFailure.exitCodes],
    start_in_seconds: job.startInSeconds,
    retry: retryOf(config),
    interruptible: job.interruptible,
    timeout_seconds: config.timeoutSeconds ?? facts.defaultTimeoutSeconds,
    tags: config.tags.map((tag) => scope.expand(tag, 'keep')),
    resource_group: config.resourceGroup === undefined ? '' : scope.expand(config.resourceGroup, 'empty'),
    coverage: config.coverage ?? '',
    variables_below_dotenv: [...job.variables.below],
    variables_above_dotenv: [...job.variables.above, ...localSecrets(job)],
    steps: stepsOf(config, facts.allowRelease),
    image: config.image === undefined ? null : payloadImage(config.image),
    services: config.services.map(payloadImage),
    artifacts: payloadArtifacts(config.artifacts, config.pages?.publish),
    cache: await cachesOf(config, facts.cacheKeys),
    hooks: config.hooks.map((hook) => ({ name: hook.name, script: [...hook.script] })),
    ...nativeParts(job, facts.problems),
  };
}

/** Needs that are in the pipeline; the others were optional. */
function presentNeeds(job: DecidedJob, included: InstanceIndex): { job: string; artifacts: boolean }[] {
  return (job.needs ?? [])
    .filter((need) => included.find(need.job).length > 0)
    .map((need) => ({ job: need.job, artifacts: need.artifacts }));
}

function presentDependencies(config: JobConfig, included: InstanceIndex): string[] | null {
  if (config.dependencies === undefined) return null;
  const names = config.dependencies.flatMap((dependency) =>
    included.find(dependency.job).map((instance) => instance.name),
  );
  return [...new Set(names)];
}

function retryOf(config: JobConfig): SubmittedJob['retry'] {
  const { retry } = config;
  if (retry === undefined) return { max: 0, when: [], exit_codes: [] };
  return { max: retry.max, when: [...retry.when], exit_codes: [...retry.exitCodes] };
}

function stepsOf(config: JobConfig, allowRelease: boolean): SubmittedJob['steps'] {
  const steps: SubmittedJob['steps'] = [];
  if (config.run === undefined) {
    const script = [...config.beforeScript, ...config.script];
    steps.push({ name: 'script', script, when: 'on_success', allow_failure: false });
  }
  if (config.release !== undefined && allowRelease) {
    steps.push({
      name: 'release',
      script: [...releaseScript(config.release)],
      when: 'on_success',
      allow_failure: false,
    });
  }
  if (config.afterScript.length > 0) {
    steps.push({ name: 'after_script', script: [...config.afterScript], when: 'always', allow_failure: true });
  }
  return steps;
}

async function cachesOf(config: JobConfig, makers: CacheKeyMaker): Promise<SubmittedJob['cache']> {
  const result: SubmittedJob['cache'] = [];
  for (const [index, cache] of config.caches.entries()) {
    const keys = await makers.keysOf(cache, index);
    result.push({
      key: keys.key,
      untracked: cache.untracked,
      policy: cache.policy,
      paths: [...cache.paths],
      when: cache.when,
      fallback_keys: [...keys.fallbackKeys],
    });
  }
  return result;
}

/** A secret whose name is a variable already takes that value: nobody needs to be asked for it. */
function localSecrets(job: DecidedJob): readonly SubmittedVariable[] {
  return job.instance.config.secrets.flatMap((secret) => {
    const local = job.variables.scope.find(secret.key);
    return local === undefined ? [] : [{ ...local, public: false, file: secret.file, masked: true, raw: true }];
  });
}

/** Members that few jobs have. */
function nativeParts(
  job: DecidedJob,
  problems: Problems,
): Pick<SubmittedJob, 'secrets' | 'inputs' | 'run' | 'environment'> {
  const { config } = job.instance;
  const { environment, scope } = job.variables;
  const secrets: Record<string, unknown> = {};
  for (const secret of config.secrets) {
    if (scope.find(secret.key) !== undefined) continue;
    const payload = secretPayload(secret, scope);
    if (payload !== undefined) secrets[secret.key] = payload;
    else
      problems.notice(`\`secrets\`: ${secret.key} stays unset, ${secret.provider} cannot be asked locally`, secret.at);
  }
  return {
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    ...(config.inputs.length === 0
      ? {}
      : { inputs: config.inputs.map(({ key, type, content }) => ({ key, value: { type, content } })) }),
    ...(config.run === undefined ? {} : { run: JSON.stringify(config.run) }),
    ...(environment === undefined
      ? {}
      : { environment: environmentOf(environment, scope.expand(environment.url ?? '', 'empty')) }),
  };
}

function environmentOf(
  environment: { readonly name: string; readonly action: string },
  url: string,
): NonNullable<SubmittedJob['environment']> {
  const base = { name: environment.name, action: environment.action };
  return url === '' ? base : { ...base, url };
}
