import { unpackArchive } from '../../archive/unpack.ts';
import { downloadArtifacts } from '../../artifacts/artifact-download.ts';
import { artifactChunkBytes, artifactStreams } from '../../artifacts/direct-download.ts';
import type { DownloadState } from '../../artifacts/download-refusal.ts';
import { CommandError } from '../../lib/errors.ts';
import { createStagedFile, type StagedFile } from '../../platform/staged-file.ts';
import { systemClock } from '../../platform/system-clock.ts';
import { RemoteDownload } from '../../transfer/remote-download.ts';
import { extractionLimits, extractorConcurrency } from './archive-settings.ts';
import { credentialOptions, credentialsFrom, tlsFilesFrom } from './credential-options.ts';
import { defineHelperCommand, type HelperContext } from './helper-command.ts';
import { durationOption, integerOption, isTrue, type OptionValues, switchOption, textOption } from './options.ts';
import { withRetries } from './retry.ts';
import { projectDirectory } from './selection-options.ts';
import { coordinatorHttp, findTlsFiles } from './transfer-http.ts';
import { startMeter, type TransferMeter } from './transfer-meter.ts';

/** Bytes gathered before they are written, for each stream. */
const writeBytes = 256 * 1024;
const stallMs = 120_000;

const options = {
  ...credentialOptions,
  retry: integerOption('How many times to retry the download', { fallback: 2 }),
  'retry-time': durationOption('How long to wait between retries', { fallback: 1000 }),
  'direct-download': switchOption('Ask for the place where the artifacts lie', {
    environment: 'FF_USE_DIRECT_DOWNLOAD',
  }),
  'archiver-staging-dir': textOption('Directory for the downloaded archive', { environment: 'ARCHIVER_STAGING_DIR' }),
  'transfer-meter-frequency': durationOption('Show progress this often; 0 = never', {
    environment: 'TRANSFER_METER_FREQUENCY',
  }),
} as const;

type Options = OptionValues<typeof options>;

/** Spec cache-artifacts.md §5. */
export const artifactsDownloader = defineHelperCommand({
  name: 'artifacts-downloader',
  summary: 'download and extract build artifacts (internal)',
  options,
  run: async (values, context, signal) => {
    checkCredentials(values, context);
    const stagingDirectory = values['archiver-staging-dir'] || context.io.env['TMPDIR'];
    const archive = await createStagedFile(stagingDirectory || undefined, 'artifacts');
    try {
      const downloaded = await download(values, archive, context, signal);
      await archive.close();
      await unpackArchive(
        {
          path: downloaded.path,
          target: projectDirectory(context.io),
          limits: extractionLimits(context.io.env),
          concurrency: extractorConcurrency(context.io.env),
        },
        signal,
      );
    } finally {
      await archive.discard();
    }
    return 0;
  },
});

function checkCredentials(values: Options, { log }: HelperContext): void {
  if (values.url === '') log.warn('Missing URL (--url)');
  if (values.token === '') log.warn('Missing runner credentials (--token)');
  if (values.id <= 0) log.warn('Missing build ID (--id)');
  if (values.url === '' || values.token === '' || values.id <= 0) throw new CommandError('Incomplete arguments');
}

async function download(
  values: Options,
  archive: StagedFile,
  { io, log }: HelperContext,
  signal: AbortSignal,
): Promise<StagedFile> {
  const clock = io.clock ?? systemClock();
  const http = coordinatorHttp(findTlsFiles(tlsFilesFrom(values), values.url, io), io, log, clock);
  const credentials = credentialsFrom(values);
  const isParallel = isTrue(io.env['FF_USE_PARALLEL_ARTIFACT_TRANSFER']);
  let meter: TransferMeter | undefined;
  const bytes = new RemoteDownload(archive, {
    chunkBytes: artifactChunkBytes,
    concurrency: artifactStreams,
    bufferBytes: writeBytes,
    stallMs,
    onBytes: (count) => meter?.add(count),
  });
  const attempt = async (number: number): Promise<void> => {
    const frequencyMs = values['transfer-meter-frequency'];
    meter = startMeter({
      label: 'Downloading artifacts',
      frequencyMs,
      write: io.stdout,
      now: () => performance.now(),
    });
    meter.add(bytes.doneBytes);
    try {
      const isDirect = values['direct-download'] && number === 0;
      throwUnlessDownloaded(await downloadArtifacts({ credentials, isDirect, isParallel, bytes }, http, log, signal));
    } finally {
      meter.end();
    }
  };
  const policy = { tries: () => 1 + Math.max(0, values.retry), delayMs: () => values['retry-time'] };
  await withRetries(attempt, policy, { log, clock }, signal);
  return archive;
}

function throwUnlessDownloaded(state: DownloadState): void {
  switch (state) {
    case 'succeeded':
      return;
    case 'unauthorized':
    case 'forbidden':
      throw new CommandError('permission denied');
    case 'not_found':
      throw new CommandError('file does not exist');
    case 'failed':
      throw new CommandError('invalid argument', { retryable: true });
  }
}
