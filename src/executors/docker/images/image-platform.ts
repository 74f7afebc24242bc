import { JobConfigurationError } from '../../../lib/errors.ts';
import type { ExecutorLog } from '../../port.ts';

const architectureNames: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
  armhf: 'arm',
};
const part = /^[A-Za-z0-9_.-]+$/;

/**
 * The platform a job asks for, as `os/architecture[/variant]`; a bare architecture takes the runner's system
 * (spec docker.md §7.4). Empty = none.
 * @throws JobConfigurationError
 */
export function parseImagePlatform(text: string, hostSystem: string, log: Pick<ExecutorLog, 'warning'>): string {
  if (text === '') return '';
  const parts = text.split('/');
  if (parts.length > 3 || !parts.every((name) => part.test(name))) {
    throw new JobConfigurationError(`invalid platform ${JSON.stringify(text)}`, {
      hint: 'A platform is written os/architecture[/variant], like linux/arm64/v8.',
    });
  }
  const [first = '', architecture, variant] = parts;
  const isSystem = parts.length > 1 || first === 'linux' || first === 'windows';
  if (isSystem && architecture === undefined) {
    throw new JobConfigurationError(`invalid platform ${JSON.stringify(text)}: the architecture is missing`);
  }
  const system = containerSystem(isSystem ? first.toLowerCase() : hostSystem, text, log);
  const named = (isSystem ? (architecture ?? '') : first).toLowerCase();
  const name = architectureNames[named] ?? named;
  return [system, name, ...(variant === undefined ? [] : [variant])].join('/');
}

function containerSystem(system: string, text: string, log: Pick<ExecutorLog, 'warning'>): string {
  if (system === 'linux' || system === 'windows') return system;
  log.warning(`Platform OS "${system}" in "${text}" is not a valid container OS; using "linux" instead`);
  return 'linux';
}
