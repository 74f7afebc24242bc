import { basename, join } from 'node:path';
import type { DockerConfig } from '../../config/docker-schema.ts';
import type { RunnerConfig } from '../../config/runner-config.ts';
import { abortReasonOf, onceAborted } from '../../lib/abort.ts';
import { DaemonError, errorMessage, JobConfigurationError, PrepareError } from '../../lib/errors.ts';
import type { BuildPlan } from '../../plan/build-plan.ts';
import { randomHex } from '../../platform/random.ts';
import { readStateFile, replaceStateFile } from '../../platform/state-file.ts';
import type { CleanupReport, Executor, JobIo, Lease } from '../port.ts';
import { connectDocker } from './api/connect.ts';
import type { DockerClient } from './api/docker-client.ts';
import { logOptions } from './container/host-options.ts';
import { baseLabels } from './container/labels.ts';
import { objectNames } from './container/names.ts';
import { planVolumes } from './container/volume-plan.ts';
import { createDiskCare, type DiskCare } from './disk-care/disk-care.ts';
import { openUsageRecord, type UsageRecord } from './disk-care/usage-record.ts';
import { createDockerExecutor } from './docker-executor.ts';
import type { DockerProviderOptions } from './docker-provider.ts';
import { allowedImages } from './environment/allowed-images.ts';
import {
  type EnvironmentHandle,
  environmentHandleValue,
  parseEnvironmentHandle,
} from './environment/environment-handle.ts';
import { isOn, type JobContext } from './environment/job-context.ts';
import { prepareEnvironment, takeUpEnvironment } from './environment/job-environment.ts';
import { sweepLeftovers } from './environment/leftovers.ts';
import { createRemovals, type Removals } from './environment/removals.ts';
import type { RemovalOptions } from './environment/remove-environment.ts';
import { checkContainerName } from './environment/service-health.ts';
import { planServices } from './environment/service-list.ts';
import { createHelperImageStore } from './helper-image/choose-helper-image.ts';
import { type ImageSourceOptions, imagesOfJob } from './images/image-source.ts';
import { createSharedPulls } from './images/pull-sharing.ts';
import { defaultEndingTimes } from './stage/end-container.ts';

type Runner = RunnerConfig;

/** What the leases of one provider share. */
export interface DockerState {
  createLease(runner: Runner): Lease;
  /** Waits for what is still being removed, and lets go of the daemons. */
  close(signal: AbortSignal): Promise<void>;
}

export function createDockerState(options: DockerProviderOptions): DockerState {
  const clients = clientTable(options, (client) => void sweep(client, options));
  const removals = createRemovals(options.logger());
  const sources = imageSources(options);
  const { clock } = options;
  const logger = options.logger();
  const usage = openUsageRecord(
    options.usageFile(),
    () => clock.now(),
    (error) => logger.warn('What jobs use of the daemon cannot be noted', { error: errorMessage(error) }),
  );
  const diskCare = createDiskCare({ record: usage, instance: options.instance(), clock, logger });
  return {
    createLease: (runner) => createLease(runner, options, { clients, removals, sources, usage, diskCare }),
    close: async (signal) => {
      await diskCare.close();
      await removals.finish(signal);
      clients.close();
    },
  };
}

function imageSources(options: DockerProviderOptions): ImageSourceOptions {
  const { environment, workingDirectory, platform, clock, selfCommand, version } = options;
  const logger = options.logger();
  return {
    environment,
    workingDirectory,
    platform,
    clock,
    logger,
    homeFolder: environment['HOME'] ?? '',
    pulls: createSharedPulls({ clock }),
    helperImages: createHelperImageStore({
      version,
      selfCommand,
      environment,
      workingDirectory,
      architecture: options.architecture,
      debug: (text, error) => logger.debug('Helper image', { text, error: errorMessage(error) }),
    }),
  };
}

interface ProviderState {
  readonly clients: ClientTable;
  readonly removals: Removals;
  readonly sources: ImageSourceOptions;
  readonly usage: UsageRecord;
  readonly diskCare: DiskCare;
}

function createLease(
  runner: Runner,
  options: DockerProviderOptions,
  { clients, removals, sources, usage, diskCare }: ProviderState,
): Lease {
  const { docker } = runner;
  if (docker === undefined) return leaseWithoutSettings;
  const settings = docker;
  /** Removal of what the last try made: some of it has the names that the next try takes. */
  let earlier: Promise<void> | undefined;

  async function contextOf(plan: BuildPlan, io: JobIo, known?: EnvironmentHandle): Promise<JobContext> {
    const client = await clients.clientFor(settings);
    const owner = { instance: options.instance(), jobFolder: basename(io.directory) };
    const suffix = known?.suffix ?? randomHex(8);
    const names = objectNames(plan, suffix);
    const volumes = planVolumes(plan, settings, names);
    const services = planServices(plan, settings, names, known === undefined ? io.log : silent);
    const hasNetwork = settings.network_mode === '' && isOn(plan, 'FF_NETWORK_PER_BUILD');
    const handle: EnvironmentHandle = known ?? {
      suffix,
      mark: `\x1e${randomHex(12)}`,
      containers: [
        names.build,
        names.helper,
        ...services.flatMap((service) => [service.container, checkContainerName(service)]),
      ],
      temporaryVolumes: volumes.volumes.filter(({ isTemporary }) => isTemporary).map(({ name }) => name),
      network: hasNetwork ? names.network : '',
    };
    const labels = baseLabels(plan, owner);
    const lasting = volumes.volumes.filter(({ isTemporary }) => !isTemporary);
    const tracker = usage.imageTracker(client.address);
    usage.volumesUsed(
      client.address,
      lasting.map(({ name }) => name),
    );
    diskCare.watch(client, settings.disk_care);
    const images = allowedImages(imagesOfJob(sources, { client, settings, plan, log: io.log, tracker }), {
      plan,
      settings,
      log: io.log,
    });
    const ends: (() => void)[] = [];
    const times = options.times ?? defaultEndingTimes;
    return {
      client,
      settings,
      plan,
      io,
      handle,
      names,
      owner,
      labels,
      volumes,
      services,
      images,
      times,
      ends,
      onCleanup: (end) => ends.push(end),
    };
  }

  /** A manager that was killed while it prepared the job left things too. */
  async function removeEarlier(io: JobIo): Promise<void> {
    const text = readStateFile(join(io.directory, handleFile));
    if (earlier === undefined && text !== undefined) {
      const client = await clients.clientFor(settings);
      const handle = parseEnvironmentHandle(JSON.parse(text));
      earlier = removals.start({ client, handle, keepsVolumes: settings.volume_keep });
    }
    await earlier;
  }

  function executorOf(context: JobContext, environment: Parameters<typeof createDockerExecutor>[0]): Executor {
    return createDockerExecutor(environment, async (): Promise<CleanupReport> => {
      for (const end of context.ends) end();
      void removals.start(removalOf(context));
      return { leftovers: [] };
    });
  }

  return {
    prepare: async (plan, io, signal) => {
      if (signal.aborted) throw abortReasonOf(signal);
      logOptions(settings.log_options);
      announce(plan, settings, io);
      const aborted = onceAborted(signal);
      await Promise.race([removeEarlier(io), aborted.promise]).finally(aborted.dispose);
      const context = await contextOf(plan, io);
      const handle = environmentHandleValue(context.handle);
      io.recordEnvironment(handle);
      replaceStateFile(join(io.directory, handleFile), JSON.stringify(handle));
      try {
        return executorOf(context, await prepareEnvironment(context, signal));
      } catch (error) {
        earlier = removals.start(removalOf(context));
        throw signal.aborted ? abortReasonOf(signal) : prepareProblem(error);
      }
    },

    recover: async (plan, value, io, signal) => {
      if (value === null) return 'gone';
      const context = await contextOf(plan, io, parseEnvironmentHandle(value));
      const environment = await takeUpEnvironment(context, signal);
      if (environment === 'gone') {
        earlier = removals.start(removalOf(context));
        return 'gone';
      }
      return executorOf(context, environment);
    },

    release: async () => {},
  };
}

/** Without its table nothing can be made; users know this text. */
const leaseWithoutSettings: Lease = {
  prepare: async () => {
    throw new JobConfigurationError('missing docker configuration', {
      hint: 'Add [runners.docker] with an image to the configuration of the runner.',
    });
  },
  recover: async () => 'gone',
  release: async () => {},
};

/** What a job was told already is not said again after a restart. */
const silent = { warning: (): void => {} };

/** In the job's folder: what was made for it last, for a manager that prepares it once more. */
const handleFile = 'docker-environment';

function removalOf({ client, handle, settings }: JobContext): RemovalOptions {
  return { client, handle, keepsVolumes: settings.volume_keep };
}

function announce(plan: BuildPlan, settings: DockerConfig, io: JobIo): void {
  if (plan.image === undefined && settings.image !== '') io.log.info('Using default image');
  io.log.print(`Using Docker executor with image ${plan.image?.name ?? settings.image} ...`);
  if (settings.volume_keep) {
    io.log.warning(
      'volume_keep is enabled: Docker volumes will not be removed after job completion and may accumulate on disk',
    );
  }
}

/** What the daemon says while things are made is tried again; what the configuration says is not. */
function prepareProblem(error: unknown): unknown {
  if (!(error instanceof DaemonError)) return error;
  return new PrepareError(errorMessage(error), { cause: error, retryable: true });
}

const sweepLimitMs = 60_000;

/** Beside the first job of a daemon. What it cannot remove is tried again by the next manager. */
async function sweep(client: DockerClient, options: DockerProviderOptions): Promise<void> {
  const logger = options.logger();
  const owner = { instance: options.instance(), hasJob: options.hasJob };
  try {
    const { removed, problems } = await sweepLeftovers(client, owner, AbortSignal.timeout(sweepLimitMs));
    if (removed > 0) logger.info('Removed what jobs of killed managers left', { removed });
    for (const leftover of problems) logger.warn('Could not remove something of a job', { leftover });
  } catch (error) {
    logger.warn('Could not look for what killed managers left', { error: errorMessage(error) });
  }
}

interface ClientTable {
  clientFor(settings: DockerConfig): Promise<DockerClient>;
  close(): void;
}

/** One client for each daemon: its connections are used again by the next job. */
function clientTable(options: DockerProviderOptions, onConnect: (client: DockerClient) => void): ClientTable {
  const clients = new Map<string, Promise<DockerClient>>();
  const open: DockerClient[] = [];
  return {
    clientFor: async ({ host, tls_cert_path: tlsCertPath, tls_verify: tlsVerify }) => {
      const key = JSON.stringify([host, tlsCertPath, tlsVerify]);
      const client =
        clients.get(key) ??
        connectDocker({
          settings: { host, tlsCertPath, tlsVerify },
          environment: options.environment,
          platform: options.platform,
          workingDirectory: options.workingDirectory,
        });
      clients.set(key, client);
      try {
        const connected = await client;
        if (!open.includes(connected)) {
          open.push(connected);
          onConnect(connected);
        }
        return connected;
      } catch (error) {
        clients.delete(key);
        throw error;
      }
    },
    close: () => {
      for (const client of open.splice(0)) client.close();
    },
  };
}
