import { JobConfigurationError } from '../../../lib/errors.ts';

/** One entry of `volumes` (spec docker.md §11.1). */
export interface VolumeSpec {
  /** Folder of the daemon's host, or a volume's name; empty = the runner makes a volume. */
  readonly source: string;
  readonly destination: string;
  /** `ro`, `z`, `rshared`, … in the order in which they are written again. */
  readonly options: readonly string[];
}

const unixSpec =
  /^(?:(?<source>\/[^:]*|[^\\/:*?"<>|]+):)?(?<destination>\/[^:]*)(?::(?<mode>ro|rw|O))?(?:[:,](?<label>z|Z))?(?:[:,](?<propagation>r?shared|r?slave|r?private))?$/i;

const windowsPath = String.raw`[a-z]:(?:[\\/][^:*?"<>|\r\n]*)?`;
const windowsPipe = String.raw`[\\/]{2}\.[\\/]pipe[\\/][^:*?"<>|\r\n]+`;
const windowsSpec = new RegExp(
  String.raw`^(?:(?<source>${windowsPath}|[^\\/:*?"<>|\r\n]+|${windowsPipe}):)?(?<destination>${windowsPath}|${windowsPipe})(?::(?<mode>ro|rw))?$`,
  'i',
);

/** @throws JobConfigurationError */
export function parseVolumeSpec(text: string, system: 'unix' | 'windows'): VolumeSpec {
  const groups = (system === 'unix' ? unixSpec : windowsSpec).exec(text)?.groups;
  if (groups === undefined) {
    throw new JobConfigurationError(`invalid volume specification: ${JSON.stringify(text)}`, {
      hint: 'Write [source:]destination[:ro|rw] with an absolute destination.',
    });
  }
  const { source = '', destination = '', mode, label, propagation } = groups;
  return { source, destination, options: [mode, label, propagation].filter((option) => option !== undefined) };
}

/** How the daemon wants it in `Binds`. */
export function bindText({ source, destination, options }: VolumeSpec): string {
  return [source, destination, ...(options.length === 0 ? [] : [options.join(',')])].join(':');
}
