import { resolve } from 'node:path';
import { extractCacheArchive } from '../../cache/cache-archive.ts';
import { downloadCache } from '../../cache/presigned-cache.ts';
import { errorMessage, systemErrorCode } from '../../lib/errors.ts';
import { systemClock } from '../../platform/system-clock.ts';
import { extractionLimits, extractorConcurrency } from './archive-settings.ts';
import { cacheOptions, cacheTransfer, checkCacheOptions, refuseGoCloud } from './cache-options.ts';
import { defineHelperCommand, type HelperContext } from './helper-command.ts';
import { type OptionValues, textOption } from './options.ts';
import { withRetries } from './retry.ts';
import { projectDirectory } from './selection-options.ts';

const options = {
  ...cacheOptions,
  'head-url': textOption('Pre-signed URL to ask about the cache'),
  'alternate-url': textOption('Pre-signed URL of the cache under its other key'),
  'alternate-head-url': textOption('Pre-signed URL to ask about the cache under its other key'),
  'alternate-gocloud-url': textOption('Go Cloud URL of the cache under its other key'),
} as const;

type Options = OptionValues<typeof options>;

const localOnly =
  'No URL provided, cache will not be downloaded from shared cache server. ' +
  'Instead a local version of cache will be extracted.';

/** Spec cache-artifacts.md §8. A cache that cannot be had is a warning and exit code 1. */
export const cacheExtractor = defineHelperCommand({
  name: 'cache-extractor',
  summary: 'download and extract cache artifacts (internal)',
  options,
  run: async (values, context, signal) => {
    checkCacheOptions(values);
    if (values.file === '') {
      context.log.warn('Missing cache file');
      return 1;
    }
    const path = resolve(context.io.workingDirectory, values.file);
    if (!(await download(values, path, context, signal))) return 1;
    return await extract(path, context, signal);
  },
});

/** @returns whether to go on. */
async function download(values: Options, path: string, context: HelperContext, signal: AbortSignal): Promise<boolean> {
  const { io, log } = context;
  if (values.url === '' && values['gocloud-url'] === '') {
    log.info(localOnly);
    return true;
  }
  const source = {
    url: values.url,
    headUrl: values['head-url'],
    alternateUrl: values['alternate-url'],
    alternateHeadUrl: values['alternate-head-url'],
  };
  const policy = { tries: () => 1 + Math.max(0, values.retry), delayMs: () => values['retry-time'] };
  const ports = { log, clock: io.clock ?? systemClock() };
  try {
    if (values.url === '') refuseGoCloud(values['gocloud-url']);
    const transfer = cacheTransfer(values, context);
    await withRetries(() => downloadCache(source, path, transfer, signal), policy, ports, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.warn(errorMessage(error));
    return false;
  }
}

async function extract(path: string, { io, log }: HelperContext, signal: AbortSignal): Promise<number> {
  const request = {
    path,
    target: projectDirectory(io),
    concurrency: extractorConcurrency(io.env),
    limits: extractionLimits(io.env),
  };
  try {
    await extractCacheArchive(request, signal);
    return 0;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    log.warn('Cache file does not exist');
    return 1;
  }
}
