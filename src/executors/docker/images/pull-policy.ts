import { JobConfigurationError, PrepareError } from '../../../lib/errors.ts';

export type PullPolicy = 'always' | 'if-not-present' | 'never';

export interface PolicyRequest {
  readonly imageName: string;
  /** `pull_policy` of the job's image or service. */
  readonly ofJob: readonly string[];
  /** `pull_policy` of config.toml. */
  readonly ofRunner: readonly string[];
  /** `allowed_pull_policies` of config.toml. */
  readonly allowed: readonly string[];
}

/**
 * The policies to try, in order and with repetitions (spec docker.md §7.2).
 * @throws JobConfigurationError when none is allowed; PrepareError for a word that is no policy.
 */
export function effectivePolicies(request: PolicyRequest): readonly PullPolicy[] {
  const ofRunner = parsePolicies(request.ofRunner, 'pull_policy');
  const requested = request.ofJob.length > 0 ? parsePolicies(request.ofJob, 'pull_policy') : withDefault(ofRunner);
  const named = parsePolicies(request.allowed, 'allowed_pull_policies');
  const allowed = named.length > 0 ? named : withDefault(ofRunner);
  const kept = requested.filter((policy) => allowed.includes(policy));
  if (kept.length > 0) return kept;
  throw new JobConfigurationError(
    `invalid pull policy for image ${JSON.stringify(request.imageName)}: pull_policy (${list(requested)}) defined in ${sourceOf(request)} is not one of the allowed_pull_policies (${list(allowed)})`,
  );
}

/** As it stands in the job's log: `[always if-not-present]`. */
export function list(policies: readonly string[]): string {
  return `[${policies.join(' ')}]`;
}

function withDefault(policies: readonly PullPolicy[]): readonly PullPolicy[] {
  return policies.length > 0 ? policies : ['always'];
}

function parsePolicies(words: readonly string[], key: string): readonly PullPolicy[] {
  return words.map((word) => {
    if (word === 'always' || word === 'if-not-present' || word === 'never') return word;
    throw new PrepareError(`unsupported ${key} config: ${JSON.stringify(word)}`, {
      hint: 'The policies are always, if-not-present and never.',
    });
  });
}

function sourceOf(request: PolicyRequest): string {
  if (request.ofJob.length > 0) return 'GitLab pipeline config';
  return request.ofRunner.length > 0 ? 'Runner config' : 'Runner config (default)';
}
