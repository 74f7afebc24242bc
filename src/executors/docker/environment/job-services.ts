import { setTimeout as sleep } from 'node:timers/promises';
import { PrepareError } from '../../../lib/errors.ts';
import { findVariable } from '../../../variables/lookup.ts';
import { parseBoolean } from '../../../variables/parse-boolean.ts';
import type { ContainerInfo } from '../api/answers.ts';
import { serviceHostOptions } from '../container/host-options.ts';
import { prefixed } from '../container/labels.ts';
import { endpointConfig, type NetworkFacts } from '../container/network-config.ts';
import { isAllowedBy, matchesImagePattern } from '../images/image-pattern.ts';
import { labelsOf } from './container-configs.ts';
import { createContainer } from './create-container.ts';
import { isOn, type JobContext } from './job-context.ts';
import type { ResolvedImage } from './job-images.ts';
import { readSecurityOptions } from './security-options.ts';
import { checkService, type RunningService } from './service-health.ts';
import type { PlannedService } from './service-list.ts';
import { followServiceLog } from './service-log.ts';

export interface JobServices {
  /** `<alias>:<address>` for containers that could not find the services otherwise. */
  readonly hosts: readonly string[];
  /** Waits until they can be used, or says in the trace that they cannot. */
  readonly ready: () => Promise<void>;
}

export interface ServiceSurroundings {
  readonly network: NetworkFacts;
  readonly volumes: () => Promise<void>;
  readonly helperImage: () => Promise<ResolvedImage>;
}

const defaultWaitSeconds = 30;

/**
 * Starts all services at the same time (spec docker.md §12.3).
 * @throws PrepareError, JobConfigurationError, DaemonError
 */
export async function startServices(
  context: JobContext,
  surroundings: ServiceSurroundings,
  signal: AbortSignal,
): Promise<JobServices> {
  const { services, settings, io, plan } = context;
  if (services.length === 0) return { hosts: [], ready: async () => {} };
  await surroundings.volumes();
  const running = await Promise.all(services.map((service) => startService(context, service, surroundings, signal)));
  const debug = parseBoolean(findVariable(plan.variables, 'CI_DEBUG_SERVICES')?.value ?? '') && plan.trace.debug;
  if (debug) for (const service of running) context.onCleanup(followServiceLog(context, service));
  return {
    hosts: running.flatMap(hostsOf),
    ready: async () => {
      const seconds = settings.wait_for_services_timeout;
      if (seconds < 0) return;
      const waitSeconds = seconds === 0 ? defaultWaitSeconds : seconds;
      io.log.print(`Waiting for services to be up and running (timeout ${waitSeconds} seconds)...`);
      const check = { ...surroundings, waitSeconds };
      await Promise.all(running.map((service) => checkService(context, service, check, signal)));
    },
  };
}

/** The services that an earlier manager started, for containers that are made now. */
export async function findServices(context: JobContext, signal: AbortSignal): Promise<JobServices> {
  const infos = await Promise.all(
    context.services.map(async (service) => {
      const info = await context.client.inspectContainer(service.container, signal);
      return info === undefined ? [] : hostsOf({ service, info });
    }),
  );
  return { hosts: infos.flat(), ready: async () => {} };
}

async function startService(
  context: JobContext,
  service: PlannedService,
  { network }: ServiceSurroundings,
  signal: AbortSignal,
): Promise<RunningService> {
  const { client, io, images, settings } = context;
  const { image: name, version } = service;
  io.log.print(`Starting service ${service.service}${version.startsWith('@') ? '' : ':'}${version}...`);
  const { pullPolicies, platform } = service;
  const image = await images.resolve({ name, kind: 'service', pullPolicies, platform }, signal);
  const config = await serviceConfig(context, service, { image, network });
  await createContainer(context, config, { name: service.container, platform: image.platform }, signal);
  await client.startContainer(service.container, signal);
  const limitMs = Math.max(settings.wait_for_services_timeout, defaultWaitSeconds) * 1000;
  const info = await startedContainer(context, service, limitMs, signal);
  return { service, info };
}

async function serviceConfig(
  context: JobContext,
  service: PlannedService,
  { image, network }: { readonly image: ResolvedImage; readonly network: NetworkFacts },
) {
  const { plan, settings, volumes } = context;
  const { image: name, entrypoint, command, environment, user, aliases } = service;
  const devices = Object.entries(settings.services_devices)
    .filter(([pattern]) => matchesImagePattern(pattern, name))
    .flatMap(([, list]) => list);
  const facts = {
    networkMode: network.mode,
    binds: volumes.binds,
    serviceHosts: [],
    usesInit: isOn(plan, 'FF_USE_INIT_WITH_DOCKER_EXECUTOR'),
    mayBePrivileged: isAllowedBy(settings.allowed_privileged_services, name),
    securityOptions: await readSecurityOptions(settings.services_security_opt, 'services_security_opt'),
  };
  return {
    Image: image.reference,
    ...(command.length > 0 ? { Cmd: command } : {}),
    ...(entrypoint.length > 0 && !settings.disable_entrypoint_overwrite ? { Entrypoint: entrypoint } : {}),
    Env: environment,
    ...(user === '' ? {} : { User: user }),
    Labels: {
      ...labelsOf(context, 'service'),
      ...prefixed({ service: service.service, 'service.version': service.version }),
    },
    HostConfig: serviceHostOptions(settings, facts, devices),
    ...endpointConfig(network, aliases),
  };
}

async function startedContainer(
  { client }: JobContext,
  { container, image }: PlannedService,
  limitMs: number,
  signal: AbortSignal,
): Promise<ContainerInfo> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const info = await client.inspectContainer(container, signal);
    if (info === undefined) throw new PrepareError(`the container of service ${image} vanished`, { retryable: true });
    if (info.State.Status !== 'created') return info;
    if (performance.now() > deadline) throw new PrepareError(`service failed to start after ${limitMs / 1000}s`);
    await sleep(100);
  }
}

/** Every name of the service with every address, as links once gave them. */
function hostsOf({ service, info }: RunningService): readonly string[] {
  const { NetworkSettings: settings } = info;
  const addresses = [
    ...new Set(
      Object.values(settings?.Networks ?? {}).flatMap(({ IPAddress, GlobalIPv6Address }) => [
        IPAddress,
        GlobalIPv6Address,
      ]),
    ),
  ].filter((address) => address !== '');
  return [...service.aliases, info.Id.slice(0, 12)].flatMap((alias) =>
    addresses.map((address) => `${alias}:${address}`),
  );
}
