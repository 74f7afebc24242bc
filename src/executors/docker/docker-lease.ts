import { join } from 'node:path';
import type { DockerConfig } from '../../config/docker-schema.ts';
import type { RunnerConfig } from '../../config/runner-config.ts';
import { abortReasonOf } from '../../lib/abort.ts';
import { DaemonError, errorMessage, JobConfigurationError, PrepareError } from '../../lib/errors.ts';
import type { BuildPlan } from '../../plan/build-plan.ts';
import { randomHex } from '../../platform/random.ts';
import { readStateFile, replaceStateFile } from '../../platform/state-file.ts';
import { expandText } from '../../variables/expand.ts';
import { variableLookup } from '../../variables/lookup.ts';
import type { CleanupReport, Executor, JobIo, Lease } from '../port.ts';
import { connectDocker } from './api/connect.ts';
import type { DockerClient } from './api/docker-client.ts';
import { logOptions } from './container/host-options.ts';
import { baseLabels } from './container/labels.ts';
import { objectNames } from './container/names.ts';
import { planVolumes } from './container/volume-plan.ts';
import { createRegistryCredentials } from './credentials/registry-credentials.ts';
import { createDockerExecutor } from './docker-executor.ts';
import type { DockerProviderOptions } from './docker-provider.ts';
import {
  type EnvironmentHandle,
  environmentHandleValue,
  parseEnvironmentHandle,
} from './environment/environment-handle.ts';
import { isOn, type JobContext } from './environment/job-context.ts';
import { prepareEnvironment, takeUpEnvironment } from './environment/job-environment.ts';
import { type JobImages, resolvedImage } from './environment/job-images.ts';
import { createRemovals, type Removals } from './environment/removals.ts';
import { removeEnvironment } from './environment/remove-environment.ts';
import { serviceContainerNames } from './environment/service-list.ts';
import { noTracker } from './images/image-tracker.ts';
import { createJobImages } from './images/job-images.ts';
import { createSharedPulls, type SharedPulls } from './images/pull-sharing.ts';
import { defaultEndingTimes } from './stage/end-container.ts';

type Runner = RunnerConfig;

/** What the leases of one provider share. */
export interface DockerState {
  createLease(runner: Runner): Lease;
  /** Waits for what is still being removed, and lets go of the daemons. */
  close(signal: AbortSignal): Promise<void>;
}

export function createDockerState(options: DockerProviderOptions): DockerState {
  const clients = clientTable(options);
  const removals = createRemovals(options.logger());
  const pulls = createSharedPulls({ clock: options.clock });
  return {
    createLease: (runner) => createLease(runner, options, { clients, removals, pulls }),
    close: async (signal) => {
      await removals.finish(signal);
      clients.close();
    },
  };
}

interface ProviderState {
  readonly clients: ClientTable;
  readonly removals: Removals;
  readonly pulls: SharedPulls;
}

function createLease(
  runner: Runner,
  options: DockerProviderOptions,
  { clients, removals, pulls }: ProviderState,
): Lease {
  const { docker } = runner;
  if (docker === undefined) return leaseWithoutSettings;
  const settings = docker;

  async function contextOf(plan: BuildPlan, io: JobIo, known?: EnvironmentHandle): Promise<JobContext> {
    const client = await clients.clientFor(settings);
    const owner = { instance: options.instance(), jobFolder: io.directory };
    const suffix = known?.suffix ?? randomHex(8);
    const names = objectNames(plan, suffix);
    const volumes = planVolumes(plan, settings, names);
    const hasNetwork = settings.network_mode === '' && isOn(plan, 'FF_NETWORK_PER_BUILD');
    const handle: EnvironmentHandle = known ?? {
      suffix,
      mark: `\x1e${randomHex(12)}`,
      containers: [names.build, names.helper, ...serviceContainerNames(plan, settings, names)],
      temporaryVolumes: volumes.volumes.filter(({ isTemporary }) => isTemporary).map(({ name }) => name),
      network: hasNetwork ? names.network : '',
    };
    const labels = baseLabels(plan, owner);
    const images = jobImages({ client, settings, plan, io }, options, pulls);
    const times = options.times ?? defaultEndingTimes;
    return { client, settings, plan, io, handle, names, owner, labels, volumes, images, times };
  }

  function executorOf(context: JobContext, environment: Parameters<typeof createDockerExecutor>[0]): Executor {
    return createDockerExecutor(environment, async (): Promise<CleanupReport> => {
      removals.start(removalOf(context));
      return { leftovers: [] };
    });
  }

  return {
    prepare: async (plan, io, signal) => {
      if (signal.aborted) throw abortReasonOf(signal);
      logOptions(settings.log_options);
      announce(plan, settings, io);
      await removeEarlier(io, settings, clients, removals);
      const context = await contextOf(plan, io);
      const handle = environmentHandleValue(context.handle);
      io.recordEnvironment(handle);
      replaceStateFile(join(io.directory, handleFile), JSON.stringify(handle));
      try {
        return executorOf(context, await prepareEnvironment(context, signal));
      } catch (error) {
        removals.start(removalOf(context));
        throw signal.aborted ? abortReasonOf(signal) : prepareProblem(error);
      }
    },

    recover: async (plan, value, io, signal) => {
      if (value === null) return 'gone';
      const context = await contextOf(plan, io, parseEnvironmentHandle(value));
      const environment = await takeUpEnvironment(context, signal);
      if (environment === 'gone') {
        removals.start(removalOf(context));
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

function jobImages(
  job: Pick<JobContext, 'client' | 'settings' | 'plan' | 'io'>,
  options: DockerProviderOptions,
  pulls: SharedPulls,
): JobImages {
  const { client, settings, plan, io } = job;
  const { environment, workingDirectory } = options;
  const images = createJobImages({
    client,
    pulls,
    credentials: createRegistryCredentials({
      plan,
      host: { environment, workingDirectory },
      homeFolder: environment['HOME'] ?? '',
      warn: (text) => io.log.warning(text),
      debug: (text) => options.logger().debug('Registry credentials', { text }),
    }),
    tracker: noTracker,
    log: io.log,
    clock: options.clock,
    policies: { ofRunner: settings.pull_policy, allowed: settings.allowed_pull_policies },
    hostSystem: options.platform === 'win32' ? 'windows' : 'linux',
  });
  return {
    resolve: async (wanted, signal) => {
      const image = await images.resolve(wanted, signal);
      return resolvedImage(image.info, image.platform ?? '');
    },
    helper: async (signal) => {
      const image = await images.resolve(
        { name: helperImageName(plan, settings), pullPolicies: [], platform: '' },
        signal,
      );
      return resolvedImage(image.info, '');
    },
  };
}

function helperImageName(plan: BuildPlan, settings: DockerConfig): string {
  return expandText(settings.helper_image, variableLookup(plan.variables, plan.directories.temporary));
}

/** In the job's folder: what was made for it last, for a manager that prepares it once more. */
const handleFile = 'docker-environment';

/** A manager that was killed while it prepared the job left things of other names. */
async function removeEarlier(
  io: JobIo,
  settings: DockerConfig,
  clients: ClientTable,
  removals: Removals,
): Promise<void> {
  const text = readStateFile(join(io.directory, handleFile));
  if (text === undefined) return;
  const client = await clients.clientFor(settings);
  removals.start({ client, handle: parseEnvironmentHandle(JSON.parse(text)), keepsVolumes: settings.volume_keep });
}

function removalOf({ client, handle, settings }: JobContext): Parameters<typeof removeEnvironment>[0] {
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

interface ClientTable {
  clientFor(settings: DockerConfig): Promise<DockerClient>;
  close(): void;
}

/** One client for each daemon: its connections are used again by the next job. */
function clientTable(options: DockerProviderOptions): ClientTable {
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
        if (!open.includes(connected)) open.push(connected);
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
