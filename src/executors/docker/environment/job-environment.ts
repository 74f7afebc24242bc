import { abortReasonOf } from '../../../lib/abort.ts';
import { JobConfigurationError } from '../../../lib/errors.ts';
import type { ScriptOperation } from '../../../script/operations.ts';
import { isPlainFileWork } from '../../../script/plain-file-work.ts';
import { expandText } from '../../../variables/expand.ts';
import { variableLookup } from '../../../variables/lookup.ts';
import { ownerLabels } from '../container/labels.ts';
import { BuildContainer } from '../stage/build-container.ts';
import { HelperContainer } from '../stage/helper-container.ts';
import { tarOf } from '../stage/tar.ts';
import { buildContainerConfig, helperContainerConfig, hostName, type Surroundings } from './container-configs.ts';
import { createContainer } from './create-container.ts';
import { FreshFiles } from './fresh-files.ts';
import { isOn, type JobContext } from './job-context.ts';
import type { ResolvedImage } from './job-images.ts';
import { findServices, startServices } from './job-services.ts';
import { readSecurityOptions } from './security-options.ts';

export interface JobEnvironment {
  readonly build: BuildContainer;
  readonly helper: HelperContainer;
  /** Does work that needs no shell without a container's help; undefined = a script has to do it. */
  doPlainWork(operations: readonly ScriptOperation[], signal: AbortSignal): Promise<string | undefined>;
}

/**
 * Makes all that a job needs, at the same time as far as one thing does not need the other: network, volumes, images,
 * services, helper and build container. Only then it returns; the containers' first stages start at once.
 * @throws PrepareError, JobConfigurationError, ImagePullError, DaemonError
 */
export async function prepareEnvironment(context: JobContext, signal: AbortSignal): Promise<JobEnvironment> {
  const making = new AbortController();
  const either = AbortSignal.any([signal, making.signal]);
  const sources = surroundingsOf(context, 'make', either);
  const environment = assemble(context, sources, 'absent');
  const needed = [
    environment.build.ensure(either),
    ...(needsHelper(context) ? [environment.helper.ensure(either)] : []),
    sources.ready(),
  ];
  try {
    await Promise.all(needed);
  } catch (error) {
    // Nothing may be made any more once the caller removes what there is.
    making.abort(abortReasonOf(making.signal));
    await Promise.allSettled(needed);
    throw error;
  }
  return environment;
}

/** The environment that an earlier manager made. */
export async function takeUpEnvironment(context: JobContext, signal: AbortSignal): Promise<JobEnvironment | 'gone'> {
  const { client, names } = context;
  const [build, helper] = await Promise.all(
    [names.build, names.helper].map(async (name) => await client.inspectContainer(name, signal)),
  );
  if (build === undefined && helper === undefined) return 'gone';
  const sources = surroundingsOf(context, 'find', signal);
  return assemble(context, sources, { build: build !== undefined, helper: helper !== undefined });
}

interface Sources {
  readonly buildImage: () => Promise<ResolvedImage>;
  readonly helperImage: () => Promise<ResolvedImage>;
  readonly surroundings: () => Promise<Surroundings>;
  readonly volumes: () => Promise<void>;
  readonly ready: () => Promise<void>;
}

/** Each is begun at its first use, and once. In preparation all of them are used. */
function surroundingsOf(context: JobContext, mode: 'make' | 'find', signal: AbortSignal): Sources {
  const { client, plan, settings, images } = context;
  const buildImage = once(async () => {
    const lookup = variableLookup(plan.variables, plan.directories.temporary);
    const name = plan.image?.name ?? settings.image;
    if (name === '') throw new JobConfigurationError('no Docker image specified to run the build in');
    const { pullPolicies = [], docker } = plan.image ?? {};
    return await images.resolve(
      { name, kind: 'image', pullPolicies, platform: expandText(docker?.platform ?? '', lookup) },
      signal,
    );
  });
  const helperImage = once(async () => await images.helper(signal));
  const volumes = once(async () => {
    const { labels, volumes: planned } = context;
    await Promise.all(
      planned.volumes.map(async ({ name, labels: own, isTemporary }) => {
        // A volume that stays belongs to no job.
        const { [ownerLabels.jobFolder]: _folder, ...lasting } = labels;
        const config = { Name: name, Labels: { ...(isTemporary ? labels : lasting), ...own } };
        const driver = settings.volume_driver === '' ? {} : { Driver: settings.volume_driver };
        const options =
          Object.keys(settings.volume_driver_ops).length === 0 ? {} : { DriverOpts: settings.volume_driver_ops };
        await client.createVolume({ ...config, ...driver, ...options }, signal);
      }),
    );
  });
  const network = once(async () => await networkOf(context, mode, signal));
  const surroundings = once(async (): Promise<Surroundings> => {
    const found = await network();
    const services =
      mode === 'make'
        ? await startServices(context, { network: found, volumes, helperImage }, signal)
        : await findServices(context, signal);
    readiness = services.ready;
    return {
      network: found,
      serviceHosts: services.hosts,
      securityOptions: await readSecurityOptions(settings.security_opt, 'security_opt'),
    };
  });
  let readiness: () => Promise<void> = async () => {};
  return {
    buildImage,
    helperImage,
    surroundings,
    volumes,
    ready: async () => {
      await surroundings();
      await readiness();
    },
  };
}

function assemble(
  context: JobContext,
  sources: Sources,
  state: 'absent' | { readonly build: boolean; readonly helper: boolean },
): JobEnvironment {
  const { client, names, plan, times, io, handle } = context;
  const warn = (text: string): void => io.log.warning(text);
  const stateOf = (isThere: boolean): 'absent' | 'taken_up' => (isThere ? 'taken_up' : 'absent');
  const build = new BuildContainer(
    {
      client,
      times,
      warn,
      name: names.build,
      shell: plan.shell,
      nativeStop: isOn(plan, 'FF_USE_NATIVE_CONTAINER_STOP'),
      create: async (signal) => {
        const [image, surroundings] = await Promise.all([
          sources.buildImage(),
          sources.surroundings(),
          sources.volumes(),
        ]);
        const config = buildContainerConfig(context, image, surroundings);
        await createContainer(context, config, { name: names.build, platform: image.platform }, signal);
      },
    },
    state === 'absent' ? 'absent' : stateOf(state.build),
  );
  const helper = new HelperContainer(
    {
      client,
      times,
      warn,
      name: names.helper,
      mark: handle.mark,
      create: async (signal) => {
        const [image, surroundings] = await Promise.all([
          sources.helperImage(),
          sources.surroundings(),
          sources.volumes(),
        ]);
        const config = helperContainerConfig(context, image, surroundings);
        await createContainer(context, config, { name: names.helper, platform: '' }, signal);
      },
    },
    state === 'absent' ? 'absent' : stateOf(state.helper),
  );
  return { build, helper, doPlainWork: plainWorker(context, build) };
}

/** Only where the build folder is new and goes with the job, and so only what is made in it counts. */
function plainWorker(context: JobContext, build: BuildContainer): JobEnvironment['doPlainWork'] {
  const { client, names, plan, volumes } = context;
  const isPossible = !needsHelper(context);
  return async (operations, signal) => {
    if (!isPossible) return undefined;
    const files = new FreshFiles(hostName(context), plan.directories.root);
    const output = await files.perform(operations);
    if (output === undefined) return undefined;
    if (files.entries.length > 0) {
      await build.ensure(signal);
      const open = volumes.volumes.map(({ destination }) => ({ path: `${destination.slice(1)}/`, mode: 0o777 }));
      await client.putArchive(names.build, '/', tarOf([...open, ...files.entries]), signal);
    }
    return output;
  };
}

/** Whether a stage runs in the helper; what is only printed or makes folders in a fresh build folder does not. */
export function needsHelper({ plan, volumes }: JobContext): boolean {
  if (!volumes.isBuildFolderFresh) return true;
  const { stages } = plan;
  return [
    stages.prepareScript,
    stages.getSources,
    stages.restoreCache,
    stages.downloadArtifacts,
    stages.archiveCacheOnSuccess,
    stages.archiveCacheOnFailure,
    stages.uploadArtifactsOnSuccess,
    stages.uploadArtifactsOnFailure,
    stages.cleanup,
  ].some((stage) => stage !== undefined && !isPlainFileWork(stage.operations));
}

async function networkOf(context: JobContext, mode: 'make' | 'find', signal: AbortSignal) {
  const { client, settings, names, labels, handle } = context;
  const hasEndpointAddress = settings.mac_address !== '' && (await client.supports('1.44', signal));
  if (settings.mac_address !== '' && !hasEndpointAddress) {
    context.io.log.warning(
      "mac_address is configured, but the Docker daemon's API version is older than 1.44; it cannot be applied to this container",
    );
  }
  const facts = { hasEndpointAddress, macAddress: settings.mac_address };
  if (handle.network === '') return { mode: settings.network_mode, ...facts };
  if (mode === 'make') {
    await client.createNetwork(
      {
        Name: names.network,
        Labels: labels,
        ...(settings.enable_ipv6 ? { EnableIPv6: true } : {}),
        ...(settings.network_mtu === 0
          ? {}
          : { Options: { 'com.docker.network.driver.mtu': String(settings.network_mtu) } }),
      },
      signal,
    );
  }
  return { mode: names.network, ...facts };
}

/** What was asked for once is not begun again; what failed is. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return async () => {
    result ??= work();
    try {
      return await result;
    } catch (error) {
      result = undefined;
      throw error;
    }
  };
}
