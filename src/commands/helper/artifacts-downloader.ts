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
import { type HeldOutput, holdOutput } from './held-output.ts';
import { defineHelperCommand, type HelperContext } from './helper-command.ts';
import { inTurn } from './in-turn.ts';
import { createJobLog } from './job-log.ts';
import {
  durationOption,
  integerOption,
  isTrue,
  listOption,
  type OptionValues,
  switchOption,
  textOption,
} from './options.ts';
import { withRetries } from './retry.ts';
import { projectDirectory } from './selection-options.ts';
import { coordinatorHttp, findTlsFiles } from './transfer-http.ts';
import { startMeter, type TransferMeter } from './transfer-meter.ts';

/** Bytes gathered before they are written, for each stream. */
const writeBytes = 256 * 1024;
const stallMs = 120_000;

const { id: _id, token: _token, ...sharedCredentials } = credentialOptions;

const options = {
  ...sharedCredentials,
  id: listOption('The build ID to handle artifacts for; several times for several jobs', { environment: 'CI_JOB_ID' }),
  token: listOption('Build token, one for each ID', { environment: 'CI_JOB_TOKEN' }),
  name: listOption('Name of the job for the log, one for each ID; none where the caller tells it'),
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

/** A job whose artifacts are wanted. */
interface Dependency {
  readonly id: number;
  readonly token: string;
  readonly name: string | undefined;
  readonly output: HeldOutput;
}

/**
 * Spec cache-artifacts.md §5. Artifacts of several jobs are downloaded at the same time and unpacked in the order of
 * the command line, each after all that is said about the one before it: tree and log are those of one call each.
 */
export const artifactsDownloader = defineHelperCommand({
  name: 'artifacts-downloader',
  summary: 'download and extract build artifacts (internal)',
  options,
  run: async (values, context, signal) => {
    const dependencies = dependenciesFrom(values, context);
    await inTurn(
      dependencies,
      downloadsAtOnce,
      {
        start: (dependency, stop) => fetchArchive(values, dependency, stop),
        turn: ({ id, name, output }) => {
          if (name !== undefined)
            context.io.stderr(`\u001B[32;1mDownloading artifacts for ${name} (${id})...\u001B[0;m\n`);
          output.release();
        },
        take: (archive) => unpack(archive, context, signal),
        drop: (archive) => archive.discard(),
      },
      signal,
    );
    return 0;
  },
});

/** So many archives are on their way or wait to be unpacked: disk and memory are bounded. */
const downloadsAtOnce = 4;

function dependenciesFrom(values: Options, { io, log }: HelperContext): readonly Dependency[] {
  const ids = values.id.map((text) => (/^\d+$/.test(text) ? Number(text) : 0));
  const { token: tokens, name: names } = values;
  const [lacksTokens, lacksIds] = [tokens.length === 0 || tokens.includes(''), ids.length === 0 || ids.includes(0)];
  if (values.url === '') log.warn('Missing URL (--url)');
  if (lacksTokens) log.warn('Missing runner credentials (--token)');
  if (lacksIds) log.warn('Missing build ID (--id)');
  if (values.url === '' || lacksTokens || lacksIds) throw new CommandError('Incomplete arguments');
  if (tokens.length !== ids.length || (names.length > 0 && names.length !== ids.length)) {
    throw new CommandError(
      `Incomplete arguments: ${ids.length} × --id, ${tokens.length} × --token, ${names.length} × --name`,
    );
  }
  return ids.map((id, index) => ({ id, token: tokens[index] ?? '', name: names[index], output: holdOutput(io) }));
}

/** The archive of one job, closed, in a temporary file. */
async function fetchArchive(values: Options, dependency: Dependency, signal: AbortSignal): Promise<StagedFile> {
  const { io } = dependency.output;
  const stagingDirectory = values['archiver-staging-dir'] || io.env['TMPDIR'];
  const archive = await createStagedFile(stagingDirectory || undefined, 'artifacts');
  try {
    await download(values, dependency, archive, signal);
    await archive.close();
    return archive;
  } catch (error) {
    await archive.discard();
    throw error;
  }
}

async function unpack(archive: StagedFile, { io }: HelperContext, signal: AbortSignal): Promise<void> {
  const request = {
    path: archive.path,
    target: projectDirectory(io),
    limits: extractionLimits(io.env),
    concurrency: extractorConcurrency(io.env),
  };
  try {
    await unpackArchive(request, signal);
  } finally {
    await archive.discard();
  }
}

async function download(
  values: Options,
  { id, token, output: { io } }: Dependency,
  archive: StagedFile,
  signal: AbortSignal,
): Promise<void> {
  const clock = io.clock ?? systemClock();
  const log = createJobLog(io.stderr);
  const http = coordinatorHttp(findTlsFiles(tlsFilesFrom(values), values.url, io), io, log, clock);
  const credentials = credentialsFrom({ ...values, id, token });
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
    const now = (): number => performance.now();
    meter = startMeter({ label: 'Downloading artifacts', frequencyMs, write: io.stdout, now });
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
