import { join } from 'node:path';
import { type CacheStores, type CacheStoreTable, createCacheStores } from './cache/adapters/cache-stores.ts';
import { managerPorts } from './cache/adapters/manager-ports.ts';
import { product, productLine } from './commands/product.ts';
import type { ManagerParts } from './commands/run.ts';
import { embeddedRunner } from './config/embedded-runner.ts';
import type { RunnerConfig } from './config/runner-config.ts';
import { dockerUsageFileName } from './executors/docker/disk-care/usage-file.ts';
import { createDockerProvider } from './executors/docker/docker-provider.ts';
import { createDummyProvider } from './executors/dummy/dummy-provider.ts';
import type { ExecutorProvider, Lease } from './executors/port.ts';
import { createShellProvider } from './executors/shell/shell-provider.ts';
import { compatibility, type HostPlatform, hostPlatform } from './gitlab/compatibility.ts';
import type { CoordinatorClients } from './gitlab/coordinator-clients.ts';
import { runnerInfo } from './gitlab/runner-info.ts';
import type { JobEngine, JobToRun } from './job/open-job.ts';
import { recoverJob, runJob } from './job/run-job.ts';
import type { JobJournal } from './journal/job-journal.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import type { JournalRecord } from './journal/records.ts';
import type { Clock } from './lib/clock.ts';
import { errorMessage, StorageError } from './lib/errors.ts';
import { coordinatorDestination } from './manager/coordinator-destination.ts';
import type { AdoptedJob } from './manager/job-supervisor.ts';
import type { Logger } from './observability/logger.ts';
import { unsupportedJobProblems } from './plan/pickup-checks.ts';
import { planBuild } from './plan/plan-build.ts';
import { instanceName } from './platform/instance-name.ts';
import { hostName } from './platform/local-work.ts';
import { randomHex } from './platform/random.ts';

export interface CompositionOptions {
  /** Folder of the journal; private. */
  readonly stateFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Program and leading arguments that start this program again. */
  readonly selfCommand: readonly string[];
  /** Account of shell scripts; empty = ours. */
  readonly user: string;
  readonly clients: CoordinatorClients;
  /** Of the manager's forceful stop. */
  readonly shutdownTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Login shells that are made ready at once for the first jobs of the shell executor; default 0. */
  readonly standbyShells?: number;
  /** See `ShellProviderOptions.ownStagesPlain`. */
  readonly ownStagesPlain?: boolean;
}

/**
 * The composition root of a runner manager: executors, journal and the job engine. Nothing registers itself.
 * @throws StorageError when the state folder cannot be used.
 */
export async function composeManager(options: CompositionOptions): Promise<ManagerParts> {
  const { clients, clock, logger } = options;
  const host = hostPlatform(process.platform, process.arch);
  const journal = await openJournal(options.stateFolder);
  const providers = executorTable({
    ...options,
    scratchFolder: () => journal.scratchFolder(),
    instance: () => instanceName(options.stateFolder),
    dockerUsageFile: () => join(options.stateFolder, dockerUsageFileName),
    hasJob: (folder) => journal.hasJob(folder),
  });
  // The other half is for killing what does not let go, and for reporting.
  const interruptLimitMs = options.shutdownTimeoutMs / 2;
  const cacheStores = createCacheStores(cacheStoreTable, () =>
    managerPorts({ environment: options.environment, logger, now: () => clock.now() }),
  );
  const engine = jobEngine({ journal, clock, logger, providers, cacheStores, host, interruptLimitMs });
  return {
    providers,
    runJob: (job, slot, { interrupt }) => runJob(engine, { ...job, ...slot }, interrupt),
    canTakeJobs: () => journal.problem() ?? true,
    numberClaims: journal.numbers,
    recover: (runners, signal) => adoptJobs({ engine, journal, providers, clients, host, logger }, runners, signal),
    close: () => journal.close(),
  };
}

type ExecutorTableOptions = Pick<
  CompositionOptions,
  'environment' | 'workingDirectory' | 'selfCommand' | 'user' | 'clock' | 'standbyShells' | 'ownStagesPlain'
> & {
  /** Absent where no job runs. */
  readonly logger?: Logger;
  /** Name of the state folder at daemons and clusters; absent where no job runs. */
  readonly instance?: () => string;
  /** See `DockerProviderOptions.usageFile`; absent where no job runs. */
  readonly dockerUsageFile?: () => string;
  /** See `Journal.hasJob`. */
  readonly hasJob?: (folder: string) => boolean;
  /** See `Journal.scratchFolder`; absent where no job runs. */
  readonly scratchFolder?: () => string;
};

/** Executors by their name in config.toml. */
export function executorTable(options: ExecutorTableOptions): ReadonlyMap<string, ExecutorProvider> {
  const { environment, workingDirectory, selfCommand, user, clock, scratchFolder, standbyShells, ownStagesPlain } =
    options;
  const shell = createShellProvider({
    environment,
    workingDirectory,
    helperCommand: selfCommand,
    user,
    clock,
    scratchFolder: scratchFolder ?? noScratchFolder,
    standbys: standbyShells,
    ownStagesPlain,
  });
  return new Map<string, ExecutorProvider>([
    ['shell', shell],
    ['docker', dockerProvider(options)],
    ['dummy', createDummyProvider({ clock })],
  ]);
}

function dockerProvider(options: ExecutorTableOptions) {
  const { environment, workingDirectory, selfCommand, clock, logger, instance, hasJob, dockerUsageFile } = options;
  return createDockerProvider({
    environment,
    workingDirectory,
    clock,
    selfCommand,
    version: product.version,
    platform: process.platform,
    architecture: process.arch,
    hostName: hostName(),
    instance: instance ?? noScratchFolder,
    usageFile: dockerUsageFile ?? noScratchFolder,
    hasJob: hasJob ?? noScratchFolder,
    logger: () => logger ?? noScratchFolder(),
  });
}

function noScratchFolder(): never {
  throw new Error('no job runs here');
}

/** Stores of caches by their name in config.toml, and the names of the Go runner's newer forms of two of them. */
export const cacheStoreTable: CacheStoreTable = new Map([
  ['s3', async () => (await import('./cache/adapters/s3-cache-store.ts')).createS3CacheStore],
  ['s3v2', async () => (await import('./cache/adapters/s3-cache-store.ts')).createS3CacheStore],
  ['gcs', async () => (await import('./cache/adapters/gcs-cache-store.ts')).createGcsCacheStore],
  ['gcsv2', async () => (await import('./cache/adapters/gcs-cache-store.ts')).createGcsCacheStore],
  ['azure', async () => (await import('./cache/adapters/azure-cache-store.ts')).createAzureCacheStore],
]);

interface EngineParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly providers: ReadonlyMap<string, ExecutorProvider>;
  readonly cacheStores: CacheStores;
  readonly host: HostPlatform;
  readonly interruptLimitMs: number;
}

function jobEngine({ journal, clock, logger, providers, cacheStores, host, interruptLimitMs }: EngineParts): JobEngine {
  const traitsOf = (runner: RunnerConfig) => {
    const provider = providers.get(runner.executor);
    if (provider === undefined) throw new Error(`executor ${runner.executor} is not known`);
    return provider.traits(runner);
  };
  return {
    journal,
    clock,
    logger,
    cacheStores,
    productLine,
    interruptLimitMs,
    plan: (job: JobToRun) =>
      planBuild({
        payload: job.payload,
        runner: job.runner,
        traits: traitsOf(job.runner),
        concurrentId: job.concurrentId,
        concurrentProjectId: job.concurrentProjectId,
        correlationId: job.correlationId,
        tlsData: { ca: job.tls.caChain, cert: job.tls.certificate, key: job.tls.privateKey },
        outputMark: randomHex(12),
        version: {
          runnerVersion: compatibility.version,
          revision: compatibility.revision,
          os: host.platform,
          arch: host.architecture,
        },
        startedAt: new Date(clock.now()).toISOString(),
      }),
    pickupProblems: (job) => unsupportedJobProblems(job.payload, traitsOf(job.runner), job.runner),
  };
}

interface AdoptionParts {
  readonly engine: JobEngine;
  readonly journal: Journal;
  readonly providers: ReadonlyMap<string, ExecutorProvider>;
  readonly clients: CoordinatorClients;
  readonly host: HostPlatform;
  readonly logger: Logger;
}

async function adoptJobs(
  parts: AdoptionParts,
  runners: readonly RunnerConfig[],
  signal: AbortSignal,
): Promise<readonly AdoptedJob[]> {
  const { jobs, problems } = await parts.journal.adoptOrphans();
  for (const problem of problems) {
    parts.logger.error('The journal of a job cannot be read; the job is left as it is', { error: problem.message });
  }
  const adopted: AdoptedJob[] = [];
  for (const journal of jobs) {
    try {
      adopted.push(await adoptJob(parts, journal, runners, signal));
    } catch (error) {
      parts.logger.error('A job of an earlier manager cannot be taken up', { error: errorMessage(error) });
      journal.close();
    }
  }
  return adopted;
}

async function adoptJob(
  parts: AdoptionParts,
  journal: JobJournal,
  runners: readonly RunnerConfig[],
  signal: AbortSignal,
): Promise<AdoptedJob> {
  const received = journal.records.find((record) => record.type === 'received');
  if (received === undefined) throw new StorageError(`${journal.folder} has no record of a received job`);
  const runner = runnerOf(received, runners);
  const provider = parts.providers.get(runner.executor);
  const lease = await provider?.acquire(runner, signal);
  if (lease === undefined) throw new StorageError(`there is no ${runner.executor} executor for job ${received.jobId}`);
  return {
    jobId: received.jobId,
    runnerToken: runner.token,
    projectId: received.plan?.job.projectId ?? 0,
    concurrentId: received.plan?.names.concurrentId ?? 0,
    concurrentProjectId: received.plan?.names.concurrentProjectId ?? 0,
    run: (signals) => runAdopted(parts, { journal, received, runner, lease }, signals.interrupt),
  };
}

type ReceivedRecord = Extract<JournalRecord, { readonly type: 'received' }>;

/** The entry of config.toml the job came from, or what the journal remembers of it. */
function runnerOf({ origin, plan }: ReceivedRecord, runners: readonly RunnerConfig[]): RunnerConfig {
  const configured = runners.find((runner) => runner.url === origin.url && runner.token === origin.runnerToken);
  return (
    configured ??
    embeddedRunner({
      name: origin.runnerName,
      url: origin.url,
      token: origin.runnerToken,
      systemId: plan?.runner.systemId ?? '',
      executor: origin.executor,
      tls: origin.tls,
    })
  );
}

interface Orphan {
  readonly journal: JobJournal;
  readonly received: ReceivedRecord;
  readonly runner: RunnerConfig;
  readonly lease: Lease;
}

async function runAdopted(parts: AdoptionParts, orphan: Orphan, interrupt: AbortSignal) {
  const { received, runner, lease } = orphan;
  const provider = parts.providers.get(runner.executor);
  const traits = provider?.traits(runner);
  const info = runnerInfo({
    host: parts.host,
    labels: runner.labels,
    executor: {
      name: runner.executor,
      shell: runner.shell === '' ? (traits?.defaultShell ?? '') : runner.shell,
      features: traits?.features ?? [],
    },
  });
  const credentials = { id: received.jobId, token: received.jobToken };
  const destination = coordinatorDestination(parts.clients.clientFor(runner), credentials, info);
  try {
    return await recoverJob(parts.engine, { ...orphan, destination }, interrupt);
  } finally {
    await lease.release(interrupt);
  }
}
