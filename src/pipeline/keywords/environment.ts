import type { Problems } from '../problems.ts';
import type { Position } from '../yaml/nodes.ts';
import { type Entry, type Fields, fieldsOf, isText } from '../yaml/reader.ts';

export interface EnvironmentConfig {
  /** Unexpanded, as are the others. */
  readonly name: string;
  readonly url: string | undefined;
  readonly action: string;
  readonly onStop: string | undefined;
  readonly tier: string | undefined;
  readonly at: Position;
}

const KEYS = new Set(['name', 'url', 'action', 'on_stop', 'auto_stop_in', 'deployment_tier', 'kubernetes']);
const ACTIONS = ['start', 'stop', 'prepare', 'verify', 'access'] as const;
const TIERS = ['production', 'staging', 'testing', 'development', 'other'] as const;
const NAME = /^[a-zA-Z0-9_/\\${}. -]+$/;
const MAX_LENGTH = 255;

/** Reads `environment` (spec local-pipeline.md §9.2). */
export function readEnvironment(entry: Entry): EnvironmentConfig | undefined {
  if (isText(entry.node)) {
    checkName(entry, entry.node.text);
    const name = entry.node.text;
    return { name, url: undefined, action: 'start', onStop: undefined, tier: undefined, at: entry.node.at };
  }
  const fields = fieldsOf(entry, KEYS);
  if (fields === undefined) return undefined;
  const name = fields.required('name');
  const url = fields.string('url');
  if (url !== undefined && url.length > MAX_LENGTH)
    fields.problem('url', `is too long (maximum is ${MAX_LENGTH} characters)`);
  const config = {
    url,
    action: fields.oneOf('action', ACTIONS) ?? 'start',
    onStop: fields.string('on_stop'),
    tier: readTier(fields),
    at: entry.node.at,
  };
  checkAutoStop(fields);
  if (name === undefined) return undefined;
  checkName(entry, name, fields.get('name')?.at);
  return { name, ...config };
}

function checkName(entry: Entry, name: string, at: Position = entry.node.at): void {
  const problem = (text: string): void => entry.problems.add(`${entry.location} name ${text}`, at);
  if (name.trim() === '') problem("can't be blank");
  else if (!NAME.test(name)) {
    problem(
      "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'",
    );
  } else if (name.startsWith('/') || name.endsWith('/')) problem("cannot start or end with '/'");
  if (name.length > MAX_LENGTH) problem(`is too long (maximum is ${MAX_LENGTH} characters)`);
}

/** A variable is accepted too. */
function readTier(fields: Fields): string | undefined {
  const tier = fields.string('deployment_tier');
  return tier === undefined || tier.includes('$') ? tier : fields.oneOf('deployment_tier', TIERS);
}

function checkAutoStop(fields: Fields): void {
  const node = fields.get('auto_stop_in');
  if (node?.kind === 'scalar' && node.text.includes('$')) return;
  fields.durationOrNever('auto_stop_in');
}

/** Environments that must fit together: `on_stop` names a job that stops the same one. */
export interface EnvironmentUser {
  readonly name: string;
  readonly environment: EnvironmentConfig | undefined;
}

/** Checks `on_stop` of one job; what is wrong becomes a problem. */
export function checkOnStop(
  job: EnvironmentUser,
  find: (name: string) => EnvironmentUser | undefined,
  problems: Problems,
): void {
  const { environment } = job;
  if (environment?.onStop === undefined) return;
  const stop = find(environment.onStop);
  const problem = (text: string): void => {
    problems.add(`${job.name} job: on_stop job ${environment.onStop} ${text}`, environment.at);
  };
  if (stop === undefined) problem('is not defined');
  else if (stop.environment === undefined) problem('does not have environment defined');
  else if (stop.environment.name !== environment.name) problem('have different environment name');
  else if (stop.environment.action !== 'stop') problem('needs to have action stop defined');
}
