import { type CacheTransfer } from '../../cache/presigned-cache.ts';
import { CommandError } from '../../lib/errors.ts';
import type { HelperContext } from './helper-command.ts';
import { durationOption, integerOption, type OptionValues, textOption } from './options.ts';
import { objectStoreHttp } from './transfer-http.ts';
import { startMeter } from './transfer-meter.ts';

/** Options both cache commands have. */
export const cacheOptions = {
  file: textOption('The path to file'),
  url: textOption('URL of remote cache resource (pre-signed URL)'),
  'gocloud-url': textOption('Go Cloud URL of remote cache resource (requires credentials)'),
  'env-file': textOption('File with the credentials of the remote cache'),
  timeout: integerOption('Time a request may take, in minutes; 0 = 10'),
  retry: integerOption('How many times to retry the transfer', { fallback: 2 }),
  'retry-time': durationOption('How long to wait between retries', { fallback: 1000 }),
  'transfer-buffer-size': integerOption('Bytes of the transfer buffer; 0 = default', {
    environment: 'CACHE_TRANSFER_BUFFER_SIZE',
    fallback: 4_194_304,
  }),
  'chunk-size': integerOption('Bytes of one piece of a parallel transfer; 0 = default', {
    environment: 'CACHE_CHUNK_SIZE',
    fallback: 16_777_216,
  }),
  concurrency: integerOption('Pieces transferred at the same time', { environment: 'CACHE_CONCURRENCY', fallback: 16 }),
  'transfer-meter-frequency': durationOption('Show progress this often; 0 = never', {
    environment: 'TRANSFER_METER_FREQUENCY',
  }),
} as const;

export type CacheOptions = OptionValues<typeof cacheOptions>;

/** @throws CommandError for numbers that make no sense, and for stores that cannot be reached yet. */
export function checkCacheOptions(values: CacheOptions): void {
  const size = (
    name: 'transfer-buffer-size' | 'chunk-size',
    what: string,
    variable: string,
    fallback: number,
  ): void => {
    if (values[name] >= 0) return;
    throw new CommandError(
      `invalid cache ${what} ${values[name]} (${variable} / --${name}): must be positive; use 0 for default ${fallback} bytes`,
    );
  };
  size('transfer-buffer-size', 'transfer buffer size', 'CACHE_TRANSFER_BUFFER_SIZE', 4_194_304);
  size('chunk-size', 'chunk size', 'CACHE_CHUNK_SIZE', 16_777_216);
  if (values.concurrency < 0) {
    throw new CommandError(
      `invalid cache concurrency ${values.concurrency} (CACHE_CONCURRENCY / --concurrency): must be positive; use 0 for the default`,
    );
  }
}

/** @throws CommandError: such stores cannot be reached yet. */
export function refuseGoCloud(url: string): never {
  const scheme = /^[a-z][a-z0-9+.-]*/i.exec(url)?.[0] ?? '';
  throw new CommandError(`cache URLs with the scheme ${JSON.stringify(scheme)} (--gocloud-url) are not supported yet`, {
    hint: 'Use a cache with pre-signed URLs.',
  });
}

export function cacheTransfer(values: CacheOptions, { io, log }: HelperContext): CacheTransfer {
  return {
    http: objectStoreHttp(io, log),
    log,
    timeoutMs: (values.timeout > 0 ? values.timeout : 10) * 60_000,
    progress: (label, totalBytes) =>
      startMeter({
        label,
        totalBytes,
        frequencyMs: values['transfer-meter-frequency'],
        write: io.stdout,
        now: () => performance.now(),
      }),
  };
}
