import { posix } from 'node:path';
import { parseCompressionLevel } from '../../archive/compression-level.ts';
import { loadFormat, unsupportedFormat } from '../../archive/format.ts';
import type { SelectedEntry } from '../../archive/selection/selected-entry.ts';
import { type ArtifactUpload, type UploadOutcome, uploadArtifacts } from '../../artifacts/artifact-upload.ts';
import { repeatableArchive } from '../../artifacts/repeatable-archive.ts';
import { CommandError, errorMessage } from '../../lib/errors.ts';
import { createSpoolFile } from '../../platform/spool-file.ts';
import { systemClock } from '../../platform/system-clock.ts';
import { archiverConcurrency } from './archive-settings.ts';
import { credentialOptions, credentialsFrom, tlsFilesFrom } from './credential-options.ts';
import { defineHelperCommand, type HelperContext } from './helper-command.ts';
import { durationOption, type OptionValues, switchOption, textOption } from './options.ts';
import { addProvenance, provenanceOptions } from './provenance-options.ts';
import { withRetries } from './retry.ts';
import { expandOrKeep, projectDirectory, selectFromOptions, selectionOptions } from './selection-options.ts';
import { coordinatorHttp, findTlsFiles } from './transfer-http.ts';
import { startMeter } from './transfer-meter.ts';

const options = {
  ...credentialOptions,
  ...selectionOptions,
  name: textOption('The name of the archive', { fallback: 'artifacts' }),
  'expire-in': textOption('When to expire artifacts'),
  'artifact-format': textOption('Format of generated artifacts'),
  'artifact-type': textOption('Type of generated artifacts'),
  'compression-level': textOption('Compression level (fastest, fast, default, slow, slowest)', {
    environment: 'ARTIFACT_COMPRESSION_LEVEL',
  }),
  timeout: durationOption('Time an upload may take', { fallback: 3_600_000 }),
  'response-header-timeout': durationOption('Time to wait for the answer', { fallback: 600_000 }),
  'ci-debug-trace': switchOption('Log the answers of the server', { environment: 'CI_DEBUG_TRACE' }),
  'transfer-meter-frequency': durationOption('Show progress this often; 0 = never', {
    environment: 'TRANSFER_METER_FREQUENCY',
  }),
  ...provenanceOptions,
} as const;

type Options = OptionValues<typeof options>;

/** Spec cache-artifacts.md §4. */
export const artifactsUploader = defineHelperCommand({
  name: 'artifacts-uploader',
  summary: 'create and upload build artifacts (internal)',
  options,
  run: async (values, context, signal) => {
    if (values.url === '' || values.token === '') throw new CommandError('Missing runner credentials');
    if (values.id <= 0) throw new CommandError('Missing build ID');
    const name = expandOrKeep(values.name, 'artifact name', context.io, context.log);
    const entries = await selectArtifacts(values, name, context, signal);
    if (entries.length === 0) {
      context.log.error('No files to upload');
      return 0;
    }
    await uploadWithRetries(values, name, entries, context, signal);
    return 0;
  },
});

async function selectArtifacts(
  values: Options,
  name: string,
  context: HelperContext,
  signal: AbortSignal,
): Promise<readonly SelectedEntry[]> {
  const entries = await selectFromOptions(values, context, signal);
  if (!values['generate-artifacts-metadata']) return entries;
  const excludes = values.exclude.map((exclude) => expandOrKeep(exclude, 'path', context.io, context.log));
  const request = { root: projectDirectory(context.io), name, jobId: values.id, excludes };
  return await addProvenance(values, entries, request, context, signal);
}

/** An outcome that ends a try. `triesInAll` counts the first one. */
class UploadError extends CommandError {
  readonly triesInAll: number;

  constructor(message: string, triesInAll: number, cause?: unknown) {
    super(message, { retryable: triesInAll > 1, ...(cause === undefined ? {} : { cause }) });
    this.triesInAll = triesInAll;
  }
}

const delaysMs = [1000, 2000, 4000, 5000];

async function uploadWithRetries(
  values: Options,
  name: string,
  entries: readonly SelectedEntry[],
  context: HelperContext,
  signal: AbortSignal,
): Promise<void> {
  const { io, log } = context;
  const clock = io.clock ?? systemClock();
  const tlsFiles = findTlsFiles(tlsFilesFrom(values), values.url, io);
  const http = coordinatorHttp(tlsFiles, io, log, clock);
  const { upload, close } = await describeUpload(values, name, entries, context, signal);
  try {
    await withRetries(
      async () => throwUnlessUploaded(await uploadArtifacts(upload, http, log, signal)),
      {
        tries: (error) => (error instanceof UploadError ? error.triesInAll : 1),
        delayMs: (nextTry) => delaysMs[nextTry - 2] ?? 5000,
        fields: { context: 'artifacts-uploader' },
      },
      { log, clock },
      signal,
    );
  } finally {
    await close();
  }
}

async function describeUpload(
  values: Options,
  name: string,
  entries: readonly SelectedEntry[],
  { io, log }: HelperContext,
  signal: AbortSignal,
): Promise<{ readonly upload: ArtifactUpload; readonly close: () => Promise<void> }> {
  const format = await loadFormat(values['artifact-format']);
  const write = format.write;
  if (write === undefined) throw unsupportedFormat(format.name);
  const request = {
    root: projectDirectory(io),
    entries,
    level: parseCompressionLevel(values['compression-level'], log),
    concurrency: archiverConcurrency(io.env),
    problem: (message: string) => log.warn(message),
  };
  const stagingDirectory = io.env['ARCHIVER_STAGING_DIR'] || io.env['TMPDIR'] || undefined;
  const archive = repeatableArchive(
    () => write(request, signal),
    () => createSpoolFile(stagingDirectory),
  );
  async function* metered(): AsyncGenerator<Buffer> {
    const frequencyMs = values['transfer-meter-frequency'];
    const meter = startMeter({
      label: 'Uploading artifacts',
      frequencyMs,
      write: io.stdout,
      now: () => performance.now(),
    });
    try {
      for await (const block of archive.open()) {
        yield block;
        meter.add(block.length);
      }
    } finally {
      meter.end();
    }
  }
  const upload = {
    credentials: credentialsFrom(values),
    fileName: archiveBaseName(name) + format.fileExtension,
    format: values['artifact-format'],
    type: values['artifact-type'],
    expireIn: values['expire-in'],
    content: metered,
    timeoutMs: values.timeout,
    headerTimeoutMs: values['response-header-timeout'],
    logsAnswer: values['ci-debug-trace'],
  };
  return { upload, close: () => archive.close() };
}

function archiveBaseName(name: string): string {
  const base = posix.basename(name);
  return base === '' || base === '.' ? 'default' : base;
}

function throwUnlessUploaded(outcome: UploadOutcome): void {
  switch (outcome.state) {
    case 'succeeded':
      return;
    case 'forbidden':
      throw new UploadError('permission denied', 1);
    case 'too_large':
      throw new UploadError('too large', 1);
    case 'unavailable':
      throw new UploadError('service unavailable', 6);
    case 'failed':
      if (outcome.error !== undefined) throw new UploadError(errorMessage(outcome.error), 3, outcome.error);
      throw new UploadError('upload failed with no response from coordinator', 3);
  }
}
