import { JobConfigurationError } from '../../lib/errors.ts';
import type { BuildPlan } from '../../plan/build-plan.ts';

type Variables = BuildPlan['variables'];

/**
 * What the job's variables tell the dummy executor to do in one stage. `<SWITCH>_<STAGE>` (stage id in capitals) is
 * for that stage; the bare name is for the user's steps.
 */
export interface StageSwitches {
  /** DUMMY_OUTPUT, DUMMY_ERROR_OUTPUT: text for the streams. */
  readonly stdout: string;
  readonly stderr: string;
  /** DUMMY_OUTPUT_BYTES: so many further bytes of lines on standard output. */
  readonly fillBytes: number;
  /** DUMMY_SLEEP_MS: how long the stage runs after its output. */
  readonly sleepMs: number;
  /** DUMMY_EXIT_CODE */
  readonly exitCode: number;
  /** DUMMY_LOSE_ENVIRONMENT: the environment vanishes instead of an exit. */
  readonly loseEnvironment: boolean;
}

/** Switches for the environment as a whole. */
export interface EnvironmentSwitches {
  /** DUMMY_FAIL_PREPARE: how many attempts fail; `true` = all. */
  readonly failingPrepares: number;
  /** DUMMY_PREPARE_MS */
  readonly prepareMs: number;
  /** DUMMY_GONE: the environment cannot be taken up after a restart. */
  readonly isGone: boolean;
  /** DUMMY_LEFTOVER: what cleanup reports as not removed; empty = nothing. */
  readonly leftover: string;
}

export function stageSwitches(variables: Variables, stage: string): StageSwitches {
  const read = (name: string): string => {
    const own = valueOf(variables, `${name}_${stage.toUpperCase()}`);
    return own ?? (stage.startsWith('step_') ? valueOf(variables, name) : undefined) ?? '';
  };
  return {
    stdout: read('DUMMY_OUTPUT'),
    stderr: read('DUMMY_ERROR_OUTPUT'),
    fillBytes: numberOf('DUMMY_OUTPUT_BYTES', read),
    sleepMs: numberOf('DUMMY_SLEEP_MS', read),
    exitCode: numberOf('DUMMY_EXIT_CODE', read),
    loseEnvironment: isTrue(read('DUMMY_LOSE_ENVIRONMENT')),
  };
}

export function environmentSwitches(variables: Variables): EnvironmentSwitches {
  const read = (name: string): string => valueOf(variables, name) ?? '';
  const failPrepare = read('DUMMY_FAIL_PREPARE');
  return {
    failingPrepares: isTrue(failPrepare) ? Number.POSITIVE_INFINITY : numberOf('DUMMY_FAIL_PREPARE', read),
    prepareMs: numberOf('DUMMY_PREPARE_MS', read),
    isGone: isTrue(read('DUMMY_GONE')),
    leftover: read('DUMMY_LEFTOVER'),
  };
}

function valueOf(variables: Variables, key: string): string | undefined {
  return variables.findLast((variable) => variable.key === key)?.value;
}

function isTrue(value: string): boolean {
  return value === 'true';
}

function numberOf(name: string, read: (name: string) => string): number {
  const text = read(name);
  if (text === '' || text === 'false') return 0;
  if (!/^\d+$/.test(text)) throw new JobConfigurationError(`${name} must be a number, not "${text}"`);
  return Number(text);
}
