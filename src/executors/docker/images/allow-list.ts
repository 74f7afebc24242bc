import { PrepareError } from '../../../lib/errors.ts';
import type { ExecutorLog } from '../../port.ts';
import { isAllowedBy } from './image-pattern.ts';

export interface AllowedNames {
  readonly kind: 'images' | 'services';
  readonly patterns: readonly string[];
  /** Names that are allowed whatever the patterns say. */
  readonly always: readonly string[];
}

/** @throws PrepareError after the patterns were written into the job's log. */
export function checkAllowed(name: string, allowed: AllowedNames, log: ExecutorLog): void {
  if (allowed.always.includes(name) || isAllowedBy(allowed.patterns, name)) return;
  log.print('');
  log.error(`The "${name}" image is not present on list of allowed ${allowed.kind}:`);
  for (const pattern of allowed.patterns) log.print(`- ${pattern}`);
  log.print('');
  log.print(
    `Please check runner's allowed_${allowed.kind} configuration: https://docs.gitlab.com/runner/configuration/advanced-configuration/`,
  );
  throw new PrepareError('disallowed image');
}
