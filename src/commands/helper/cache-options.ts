import { resolve } from 'node:path';
import type { CacheTransfer, RepeatedTransfer } from '../../cache/cache-transfer.ts';
import { environmentWith, type ObjectStoreAccess } from '../../cache/object-place.ts';
import { CommandError, errorMessage } from '../../lib/errors.ts';
import { readTextFile } from '../../platform/staged-file.ts';
import { systemClock } from '../../platform/system-clock.ts';
import type { HelperContext, HelperIo } from './helper-command.ts';
import { objectStoreOpeners } from './object-stores.ts';
import { durationOption, integerOption, isFalse, type OptionValues, textOption } from './options.ts';
import { withRetries } from './retry.ts';
import { objectStoreHttp } from './transfer-http.ts';
import { startMeter } from './transfer-meter.ts';

const defaults = { bufferBytes: 4_194_304, chunkBytes: 16_777_216, concurrency: 16 } as const;
/** More connections than this bring nothing but trouble. */
const mostAtOnce = 64;

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
    fallback: defaults.bufferBytes,
  }),
  'chunk-size': integerOption('Bytes of one piece of a parallel transfer; 0 = default', {
    environment: 'CACHE_CHUNK_SIZE',
    fallback: defaults.chunkBytes,
  }),
  concurrency: integerOption('Pieces transferred at the same time', {
    environment: 'CACHE_CONCURRENCY',
    fallback: defaults.concurrency,
  }),
  'transfer-meter-frequency': durationOption('Show progress this often; 0 = never', {
    environment: 'TRANSFER_METER_FREQUENCY',
  }),
} as const;

export type CacheOptions = OptionValues<typeof cacheOptions>;

/** @throws CommandError for numbers that make no sense. */
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
  size('transfer-buffer-size', 'transfer buffer size', 'CACHE_TRANSFER_BUFFER_SIZE', defaults.bufferBytes);
  size('chunk-size', 'chunk size', 'CACHE_CHUNK_SIZE', defaults.chunkBytes);
  if (values.concurrency < 0) {
    throw new CommandError(
      `invalid cache concurrency ${values.concurrency} (CACHE_CONCURRENCY / --concurrency): must be positive; use 0 for the default`,
    );
  }
}

/** What is not given, or 0, is the default; pieces at the same time unless `FF_USE_PARALLEL_CACHE_TRANSFER` is off. */
export function cacheTransfer(
  values: CacheOptions,
  direction: 'download' | 'upload',
  { io, log }: HelperContext,
): CacheTransfer {
  const isParallel = !isFalse(io.env['FF_USE_PARALLEL_CACHE_TRANSFER']);
  const wanted = direction === 'upload' ? values.concurrency || defaults.concurrency : values.concurrency;
  return {
    http: objectStoreHttp(io, log),
    log,
    timeoutMs: (values.timeout > 0 ? values.timeout : 10) * 60_000,
    chunkBytes: values['chunk-size'] || defaults.chunkBytes,
    concurrency: isParallel ? Math.max(1, Math.min(wanted, mostAtOnce)) : 1,
    bufferBytes: values['transfer-buffer-size'] || defaults.bufferBytes,
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

/** Stores that are opened with the credentials of the manager's file. @throws CommandError where it cannot be read. */
export async function objectStoreAccess(values: CacheOptions, io: HelperIo): Promise<ObjectStoreAccess> {
  const path = values['env-file'];
  const text = path === '' ? '' : await readEnvFile(resolve(io.workingDirectory, path));
  return { openers: objectStoreOpeners, environment: environmentWith(io.env, text), now: Date.now };
}

async function readEnvFile(path: string): Promise<string> {
  const text = await readTextFile(path).catch((error: unknown) => {
    throw new CommandError(`failed to read env file: ${errorMessage(error)}`, { cause: error });
  });
  if (text === undefined) throw new CommandError(`failed to read env file: ${path} does not exist`);
  return text;
}

const closeLimitMs = 10_000;

/** Runs a transfer as often as the options allow. */
export async function runTransfer(
  transfer: RepeatedTransfer,
  values: CacheOptions,
  { io, log }: HelperContext,
  signal: AbortSignal,
): Promise<void> {
  const policy = { tries: () => 1 + Math.max(0, values.retry), delayMs: () => values['retry-time'] };
  try {
    await withRetries(() => transfer.attempt(signal), policy, { log, clock: io.clock ?? systemClock() }, signal);
  } finally {
    // What ends the command must not keep it from giving up parts that the store would keep.
    await transfer.close(AbortSignal.timeout(closeLimitMs));
  }
}
