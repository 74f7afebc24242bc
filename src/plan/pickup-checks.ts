import type { JobPayload, PayloadImage } from '../gitlab/job-payload.ts';
import { environmentVariables } from '../variables/build-variables.ts';
import { resolveFeatureFlags } from '../variables/feature-flags.ts';
import type { ExecutorTraits } from './executor-traits.ts';

/** The parts of a runner's configuration that can ask for something unsupported. */
export interface PickupConfiguration {
  readonly featureFlags: Readonly<Record<string, boolean>>;
  readonly environment: readonly string[];
}

/**
 * What of a job cannot be done, one line each; empty = nothing. Such a job fails right after pick-up
 * (spec protocol.md §4.6, §4.7).
 */
export function unsupportedJobProblems(
  payload: JobPayload,
  traits: ExecutorTraits,
  configuration: PickupConfiguration = { featureFlags: {}, environment: [] },
): readonly string[] {
  return [
    ...[payload.image, ...payload.services].flatMap(optionProblems),
    ...nativeStepProblems(payload, traits),
    ...secretProblems(payload),
    ...modeProblems(payload, configuration),
  ];
}

const knownOptions: Readonly<Record<string, readonly string[]>> = {
  docker: ['platform', 'user'],
  kubernetes: ['user'],
};

/** Upstream says "image" for services too; users search for this text. */
function optionProblems({ executor_opts: options }: PayloadImage): readonly string[] {
  const outer = unknownKeys(options, Object.keys(knownOptions), 'executor_opts');
  const inner = Object.entries(knownOptions).flatMap(([executor, known]) =>
    unknownKeys(options[executor], known, `${executor} executor`),
  );
  return [...outer, ...inner];
}

function unknownKeys(options: unknown, known: readonly string[], where: string): readonly string[] {
  if (typeof options !== 'object' || options === null) return [];
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length === 0) return [];
  const supported = known.toSorted().join(' ');
  return [
    `Unsupported "image" options [${unknown.toSorted().join(' ')}] for "${where}"; supported options are [${supported}]`,
  ];
}

function nativeStepProblems(payload: JobPayload, traits: ExecutorTraits): readonly string[] {
  if (payload.run === '') return [];
  if (payload.steps.some(({ script }) => script.length > 0)) {
    return ['the `run` and `script` keywords cannot be used together'];
  }
  if (payload.variables.some(({ key, value }) => key === 'STEPS' && value !== '')) {
    return ['the `run` keyword requires the exclusive use of the variable STEPS'];
  }
  return [
    `the \`run\` keyword is not supported yet by the ${traits.name} executor of this runner: ` +
      'write the job with `script`, or give it tags of another runner',
  ];
}

function secretProblems({ secrets }: JobPayload): readonly string[] {
  const names = Object.keys(secrets);
  if (names.length === 0) return [];
  return [
    `secrets are not supported yet: ${names.join(', ')}. ` +
      'Use masked CI/CD variables instead, or give the job tags of another runner',
  ];
}

function modeProblems(payload: JobPayload, { featureFlags, environment }: PickupConfiguration): readonly string[] {
  const flags = resolveFeatureFlags(featureFlags, [...environmentVariables(environment), ...payload.variables]).values;
  const suspend = payload.suspend_options;
  const wantsSuspend =
    suspend.suspend_on_success || suspend.suspend_on_failure || suspend.runtime_environment_key !== '';
  return [
    ...['FF_CONCRETE', 'FF_SCRIPT_TO_STEP_MIGRATION']
      .filter((name) => flags[name])
      .map(
        (name) =>
          `${name} is not supported yet: remove this variable or feature flag, the job then runs its script as usual`,
      ),
    ...(flags['FF_SUSPENDABLE_ENVIRONMENTS'] && wantsSuspend
      ? ['suspending the job environment is not supported yet: turn FF_SUSPENDABLE_ENVIRONMENTS off']
      : []),
  ];
}
