import { JobConfigurationError, PrepareError } from '../../../lib/errors.ts';
import type { DeviceMapping, DeviceRequest } from '../api/requests.ts';

/** `host[:container[:permissions]]` (spec docker.md §9.2). @throws PrepareError */
export function parseDevice(text: string): DeviceMapping {
  const [host = '', container = host, permissions = 'rwm', ...rest] = text.split(':');
  if (rest.length > 0) throw new PrepareError(`failed to parse device string "${text}": too many colons`);
  return { PathOnHost: host, PathInContainer: container, CgroupPermissions: permissions };
}

/** The value of docker's `--gpus`; blank = none. @throws PrepareError */
export function parseGpus(text: string): readonly DeviceRequest[] {
  if (text.trim() === '') return [];
  try {
    return [gpuRequest(splitCsv(text.trim()))];
  } catch (error) {
    throw new PrepareError(`parsing gpus string ${JSON.stringify(text)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function gpuRequest(fields: readonly string[]): DeviceRequest {
  const values = new Map<string, string>();
  for (const field of fields) {
    const separator = field.indexOf('=');
    const [key, value] = separator < 0 ? ['count', field] : [field.slice(0, separator), field.slice(separator + 1)];
    if (values.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
    if (!['count', 'driver', 'device', 'capabilities', 'options'].includes(key)) {
      throw new Error(`unexpected key '${key}' in '${field}'`);
    }
    values.set(key, value);
  }
  const devices = values.get('device');
  const capabilities = values.get('capabilities');
  const options = values.get('options');
  const count = values.get('count');
  return {
    ...(values.has('driver') ? { Driver: values.get('driver') ?? '' } : {}),
    ...(devices === undefined ? { Count: gpuCount(count ?? '1') } : { DeviceIDs: devices.split(',') }),
    ...(devices !== undefined && count !== undefined ? { Count: gpuCount(count) } : {}),
    Capabilities: [capabilities === undefined ? ['gpu'] : [...capabilities.split(','), 'gpu']],
    ...(options === undefined ? {} : { Options: optionMap(options) }),
  };
}

function gpuCount(text: string): number {
  if (text === 'all') return -1;
  if (!/^-?\d+$/.test(text)) throw new Error(`count must be an integer: ${text}`);
  return Number(text);
}

function optionMap(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    splitCsv(text).map((field) => {
      const [key = '', ...value] = field.split('=');
      return [key, value.join('=')];
    }),
  );
}

/** One line of comma-separated values, whose fields may be quoted. */
function splitCsv(text: string): readonly string[] {
  const fields = [...text.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map((match) => match[1] ?? '');
  return fields.map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field));
}

/** `soft[:hard]` of each limit. @throws JobConfigurationError */
export function parseUlimits(
  limits: Readonly<Record<string, string>>,
): readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[] {
  return Object.entries(limits).map(([name, text]) => {
    const match = /^(-?\d+)(?::(-?\d+))?$/.exec(text.trim());
    if (match === null) throw new JobConfigurationError(`[runners.docker.ulimit] ${name}: "${text}" is no limit`);
    return { Name: name, Soft: Number(match[1]), Hard: Number(match[2] ?? match[1]) };
  });
}
