import { PrepareError } from '../../../lib/errors.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import { expandText } from '../../../variables/expand.ts';
import { variableLookup } from '../../../variables/lookup.ts';
import type { ContainerConfig } from '../api/requests.ts';
import { type HostFacts, jobHostOptions } from '../container/host-options.ts';
import { type Labels, prefixed } from '../container/labels.ts';
import { endpointConfig, type NetworkFacts } from '../container/network-config.ts';
import { isAllowedBy } from '../images/image-pattern.ts';
import { buildCommand, helperCommand } from '../stage/container-scripts.ts';
import { isOn, type JobContext } from './job-context.ts';
import type { ResolvedImage } from './job-images.ts';

/** What is known of the job's surroundings once they are made. */
export interface Surroundings {
  readonly network: NetworkFacts;
  readonly serviceHosts: readonly string[];
  readonly securityOptions: readonly string[];
}

/** The user's container (spec docker.md §9). @throws PrepareError, JobConfigurationError */
export function buildContainerConfig(
  context: JobContext,
  image: ResolvedImage,
  surroundings: Surroundings,
): ContainerConfig {
  const { plan, settings, names } = context;
  const user = buildUser(context);
  const entrypoint = settings.disable_entrypoint_overwrite ? [] : (plan.image?.entrypoint ?? []);
  return {
    Image: image.reference,
    Hostname: hostName(context),
    Cmd: buildCommand(plan.shell),
    ...(entrypoint.length > 0 ? { Entrypoint: entrypoint } : {}),
    Env: environmentOf(plan),
    ...(user === '' ? {} : { User: user }),
    ...streams(true),
    Labels: labelsOf(context, 'build'),
    HostConfig: jobHostOptions(settings, hostFacts(context, surroundings, plan.image?.name ?? ''), 'build'),
    ...endpointConfig(surroundings.network, ['build', names.build]),
  };
}

/** The helper's container. */
export function helperContainerConfig(
  context: JobContext,
  image: ResolvedImage,
  surroundings: Surroundings,
): ContainerConfig {
  const { plan, settings, names, handle, volumes } = context;
  return {
    Image: image.reference,
    Hostname: hostName(context),
    Cmd: helperCommand({
      mark: handle.mark,
      shell: plan.shell,
      openFolders: volumes.volumes.map(({ destination }) => destination),
    }),
    Env: environmentOf(plan),
    ...streams(false),
    Labels: labelsOf(context, 'predefined'),
    HostConfig: jobHostOptions(settings, hostFacts(context, surroundings, image.id), 'helper'),
    ...endpointConfig(surroundings.network, ['build', names.helper]),
  };
}

export function hostName({ plan, settings }: JobContext): string {
  return settings.hostname === '' ? plan.names.unique : settings.hostname;
}

/** Labels of a container, with those that the configuration adds. */
export function labelsOf({ labels, plan, settings }: JobContext, type: 'build' | 'predefined' | 'service'): Labels {
  const lookup = variableLookup(plan.variables, plan.directories.temporary);
  const configured = Object.entries(settings.container_labels).map(([key, value]) => [key, expandText(value, lookup)]);
  return { ...(Object.fromEntries(configured) as Labels), ...labels, ...prefixed({ type }) };
}

function hostFacts(context: JobContext, surroundings: Surroundings, image: string): HostFacts {
  const { plan, settings, volumes } = context;
  return {
    networkMode: surroundings.network.mode,
    binds: volumes.binds,
    serviceHosts: surroundings.serviceHosts,
    usesInit: isOn(plan, 'FF_USE_INIT_WITH_DOCKER_EXECUTOR'),
    mayBePrivileged: isAllowedBy(settings.allowed_privileged_images, image),
    securityOptions: surroundings.securityOptions,
  };
}

/** As `KEY=VALUE`; of file variables the path (spec docker.md §9.1). */
function environmentOf(plan: BuildPlan): readonly string[] {
  return plan.variables.map(
    ({ key, value, file }) => `${key}=${file ? `${plan.directories.temporary}/${key}` : value}`,
  );
}

function streams(isInputOnce: boolean) {
  return {
    Tty: false,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: isInputOnce,
  };
}

/** @throws PrepareError for an account that the runner does not allow */
function buildUser({ plan, settings }: JobContext): string {
  const { user: configured, allowed_users: allowed } = settings;
  const lookup = variableLookup(plan.variables, plan.directories.temporary);
  const user = configured === '' ? expandText(plan.image?.docker.user ?? '', lookup) : configured;
  if (user === '' || (allowed.length === 0 && configured === '')) return user;
  if (allowed.length === 0 ? user === configured : allowed.includes(user)) return user;
  throw new PrepareError(
    `failed to create container configuration: user "${user}" is not an allowed user: [${allowed.join(' ')}]`,
  );
}
