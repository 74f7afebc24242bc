import { resolve } from 'node:path';
import { parseCompressionLevel } from '../../archive/compression-level.ts';
import type { SelectedEntry } from '../../archive/selection/selected-entry.ts';
import { isCacheUpToDate, writeCacheArchive } from '../../cache/cache-archive.ts';
import { type CacheMetadata, parseCacheMetadata, writeCacheMetadata } from '../../cache/cache-metadata.ts';
import type { RepeatedTransfer } from '../../cache/cache-transfer.ts';
import { parseEnvFile } from '../../cache/env-file.ts';
import { isStoredObject, objectUpload } from '../../cache/object-upload.ts';
import { isStoredRemotely, presignedUpload } from '../../cache/presigned-upload.ts';
import { CommandError, errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { inspectFile, makeParentDirectory, moveFile, readTextFile } from '../../platform/staged-file.ts';
import { archiverConcurrency } from './archive-settings.ts';
import { cacheOptions, cacheTransfer, checkCacheOptions, objectStoreAccess, runTransfer } from './cache-options.ts';
import { defineHelperCommand, type HelperContext } from './helper-command.ts';
import { integerOption, listOption, type OptionValues, textOption } from './options.ts';
import { projectDirectory, selectFromOptions, selectionOptions } from './selection-options.ts';

const options = {
  ...selectionOptions,
  ...cacheOptions,
  'alternate-file': textOption('The path to file under the cache’s other key'),
  header: listOption("HTTP headers to send with PUT request (in form of 'key:value')"),
  'check-url': textOption('Pre-signed URL to ask whether the cache is there'),
  metadata: textOption('Metadata of the cache, as JSON', { environment: 'CACHE_METADATA' }),
  'compression-level': textOption('Compression level (fastest, fast, default, slow, slowest)', {
    environment: 'CACHE_COMPRESSION_LEVEL',
  }),
  'compression-format': textOption('Compression format (zip, tarzstd, zipzstd)', {
    environment: 'CACHE_COMPRESSION_FORMAT',
  }),
  'max-uploaded-archive-size': integerOption('Largest archive to upload, in bytes; 0 = any', {
    environment: 'CACHE_MAX_UPLOADED_ARCHIVE_SIZE',
  }),
} as const;

type Options = OptionValues<typeof options>;

/** Spec cache-artifacts.md §9. */
export const cacheArchiver = defineHelperCommand({
  name: 'cache-archiver',
  summary: 'create and upload cache artifacts (internal)',
  options,
  run: async (values, context, signal) => {
    if (values.file === '') throw new CommandError('Missing --file');
    checkCacheOptions(values);
    const path = resolve(context.io.workingDirectory, values.file);
    adoptAlternate(values, path, context);
    const entries = await selectFromOptions(values, context, signal);
    if (entries.length === 0) {
      // The archive of an earlier job stays.
      context.log.warn('No files to cache.');
      return 0;
    }
    if (!(await isCacheUpToDate(path, projectDirectory(context.io), entries)))
      await create(values, path, entries, context, signal);
    else if (!(await needsUpload(values, path, context, signal))) return 0;
    await upload(values, path, context, signal);
    return 0;
  },
});

/** A cache saved under the other naming of keys goes on under this one. */
function adoptAlternate(values: Options, path: string, { io, log }: HelperContext): void {
  if (values['alternate-file'] === '') return;
  const alternate = resolve(io.workingDirectory, values['alternate-file']);
  if (alternate === path || inspectFile(path) !== undefined || inspectFile(alternate) === undefined) return;
  try {
    makeParentDirectory(path);
    moveFile(alternate, path);
    log.info('Renamed alternate cache file to primary');
  } catch (error) {
    log.warn('Failed to rename alternate cache file to primary', { error: errorMessage(error) });
  }
}

async function create(
  values: Options,
  path: string,
  entries: readonly SelectedEntry[],
  { io, log }: HelperContext,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    path,
    root: projectDirectory(io),
    entries,
    format: formatFrom(values['compression-format']),
    level: parseCompressionLevel(values['compression-level'], log),
    concurrency: archiverConcurrency(io.env),
    problem: (message: string) => log.warn(message),
  };
  await writeCacheArchive(request, signal);
  await writeCacheMetadata(path, await readMetadata(values, io.workingDirectory, log));
}

/** Nothing said means zipzstd, which every runner since 16.2 reads; unknown formats mean zip. */
function formatFrom(name: string): string {
  const lowered = name.toLowerCase();
  return lowered === '' ? 'zipzstd' : lowered === 'tarzstd' || lowered === 'zipzstd' ? lowered : 'zip';
}

/** The manager puts it into the file with the credentials, where it is no option of ours. Bad metadata costs no cache. */
async function readMetadata(values: Options, workingDirectory: string, log: Logger): Promise<CacheMetadata> {
  try {
    if (values.metadata !== '' || values['env-file'] === '') return parseCacheMetadata(values.metadata);
    const text = await readTextFile(resolve(workingDirectory, values['env-file']));
    return parseCacheMetadata(parseEnvFile(text ?? '')['CACHE_METADATA'] ?? '');
  } catch (error) {
    log.warn(errorMessage(error));
    return {};
  }
}

/** Whether an archive that did not change has to be uploaded all the same. */
async function needsUpload(
  values: Options,
  path: string,
  context: HelperContext,
  signal: AbortSignal,
): Promise<boolean> {
  const { log } = context;
  const hasRemote = values.url !== '' || values['gocloud-url'] !== '';
  if (!hasRemote || values['alternate-file'] === values.file) {
    log.info('Archive is up to date!');
    return false;
  }
  if (await isStored(values, path, context, signal)) {
    log.info('Primary cache already exists remotely, skipping upload');
    return false;
  }
  log.info('Primary cache does not exist remotely, uploading existing archive');
  return true;
}

async function isStored(values: Options, path: string, context: HelperContext, signal: AbortSignal): Promise<boolean> {
  const transfer = cacheTransfer(values, 'upload', context);
  if (values['gocloud-url'] === '') return await isStoredRemotely(values['check-url'], path, transfer, signal);
  const access = await objectStoreAccess(values, context.io);
  return await isStoredObject(values['gocloud-url'], path, access, transfer, signal);
}

const onlyLocally = 'Cache will be stored only locally.';

async function upload(values: Options, path: string, context: HelperContext, signal: AbortSignal): Promise<void> {
  const { log } = context;
  if (values.url === '' && values['gocloud-url'] === '') {
    log.info(`No URL provided, cache will not be uploaded to shared cache server. ${onlyLocally}`);
    return;
  }
  const sizeBytes = inspectFile(path)?.sizeBytes ?? 0;
  const limit = values['max-uploaded-archive-size'];
  if (limit !== 0 && sizeBytes > limit) {
    log.info(`Cache archive size (${sizeBytes}) is too big (Limit is set to ${limit}). ${onlyLocally}`);
    return;
  }
  await runTransfer(await uploadTo(values, path, context), values, context, signal);
}

async function uploadTo(values: Options, path: string, context: HelperContext): Promise<RepeatedTransfer> {
  const transfer = cacheTransfer(values, 'upload', context);
  if (values['gocloud-url'] === '') {
    return presignedUpload({ url: values.url, headers: parseHeaders(values.header) }, path, transfer);
  }
  const metadata = await readMetadata(values, context.io.workingDirectory, context.log);
  const access = await objectStoreAccess(values, context.io);
  return objectUpload({ url: values['gocloud-url'], metadata }, path, access, transfer);
}

/** `key:value`, cut at the first colon. */
function parseHeaders(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const colon = text.indexOf(':');
      return colon < 0 ? [text.trim(), ''] : [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
    }),
  );
}
