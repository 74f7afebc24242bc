import { resolve } from 'node:path';
import { extractCacheArchive } from '../../cache/cache-archive.ts';
import type { RepeatedTransfer } from '../../cache/cache-transfer.ts';
import { objectDownload } from '../../cache/object-download.ts';
import { presignedDownload } from '../../cache/presigned-download.ts';
import { errorMessage, systemErrorCode } from '../../lib/errors.ts';
import { extractionLimits, extractorConcurrency } from './archive-settings.ts';
import { cacheOptions, cacheTransfer, checkCacheOptions, objectStoreAccess, runTransfer } from './cache-options.ts';
import { defineHelperCommand, type HelperContext } from './helper-command.ts';
import { type OptionValues, textOption } from './options.ts';
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
  const { log } = context;
  if (values.url === '' && values['gocloud-url'] === '') {
    log.info(localOnly);
    return true;
  }
  try {
    await runTransfer(await downloadFrom(values, path, context), values, context, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.warn(errorMessage(error));
    return false;
  }
}

async function downloadFrom(values: Options, path: string, context: HelperContext): Promise<RepeatedTransfer> {
  const transfer = cacheTransfer(values, 'download', context);
  if (values['gocloud-url'] !== '') {
    const source = { url: values['gocloud-url'], alternateUrl: values['alternate-gocloud-url'] };
    return objectDownload(source, path, await objectStoreAccess(values, context.io), transfer);
  }
  const source = {
    url: values.url,
    headUrl: values['head-url'],
    alternateUrl: values['alternate-url'],
    alternateHeadUrl: values['alternate-head-url'],
  };
  return presignedDownload(source, path, transfer);
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
