import type { DockerConfig } from '../../../config/docker-schema.ts';
import { JobConfigurationError, PrepareError } from '../../../lib/errors.ts';
import type { BuildPlan, PlannedImage } from '../../../plan/build-plan.ts';
import { expandText } from '../../../variables/expand.ts';
import { variableLookup } from '../../../variables/lookup.ts';
import type { ExecutorLog } from '../../port.ts';
import { type ObjectNames, serviceContainerName } from '../container/names.ts';
import { parseImageReference, splitHost } from '../images/image-reference.ts';

/** One service that is to be started. */
export interface PlannedService {
  /** Container's name. */
  readonly container: string;
  readonly image: string;
  /** `group/postgres` and `16`, for people. */
  readonly service: string;
  readonly version: string;
  /** Host names, each of one service only. */
  readonly aliases: readonly string[];
  readonly environment: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly user: string;
  readonly platform: string;
  readonly pullPolicies: readonly string[];
}

/**
 * The services of the configuration and then those of the job (spec docker.md §12). One whose names are all taken is
 * not started.
 * @throws JobConfigurationError, PrepareError
 */
export function planServices(
  plan: BuildPlan,
  settings: DockerConfig,
  names: ObjectNames,
  log: Pick<ExecutorLog, 'warning'>,
): readonly PlannedService[] {
  const wanted = [...settings.services.map((service) => configured(service, plan)), ...plan.services.map(ofJob)];
  const { services_limit: limit } = settings;
  if (limit !== undefined && limit >= 0 && wanted.length > limit) {
    throw new PrepareError(`too many services requested: ${wanted.length}, only ${limit} allowed`);
  }
  const taken = new Set<string>();
  return wanted.flatMap((service, index) => plannedService(service, { index, plan, names, log, taken }) ?? []);
}

interface WantedService
  extends Omit<PlannedService, 'container' | 'service' | 'version' | 'user' | 'platform'>,
    Pick<PlannedImage, 'docker'> {}

interface ServicePlace {
  readonly index: number;
  readonly plan: BuildPlan;
  readonly names: ObjectNames;
  readonly log: Pick<ExecutorLog, 'warning'>;
  readonly taken: Set<string>;
}

function plannedService(wanted: WantedService, place: ServicePlace): PlannedService | undefined {
  const { index, plan, names, log, taken } = place;
  const reference = parseImageReference(wanted.image);
  if (reference === undefined) {
    if (wanted.aliases.length === 0) return undefined;
    throw new JobConfigurationError(`invalid service image name: ${wanted.image}`);
  }
  const { host, path } = splitHost(wanted.image.split('@')[0]?.replace(/:[^/]*$/, '') ?? '');
  const service = [host.replace(/:\d+$/, ''), path].filter((part) => part !== '').join('/');
  const version = reference.tag === '' ? (reference.digest === '' ? 'latest' : `@${reference.digest}`) : reference.tag;
  const candidates = [...new Set([service.replaceAll('/', '__'), service.replaceAll('/', '-'), ...wanted.aliases])];
  const aliases = candidates.filter((alias) => {
    if (!taken.has(alias)) return true;
    log.warning(
      `Skipping alias "${alias}" for service "${wanted.image}" (services[${index}]): alias is already in use by another service.`,
    );
    return false;
  });
  if (aliases.length === 0) return undefined;
  for (const alias of aliases) taken.add(alias);
  const lookup = variableLookup(plan.variables, plan.directories.temporary);
  return {
    ...wanted,
    service,
    version,
    aliases,
    container: serviceContainerName(names, service, index),
    user: expandText(wanted.docker.user, lookup),
    platform: expandText(wanted.docker.platform, lookup),
  };
}

/** What services see of a job's variables, or of their own. */
function environmentText(plan: BuildPlan, variables: PlannedImage['variables']): readonly string[] {
  const folder = plan.directories.temporary;
  return variables.map(({ key, value, file }) => `${key}=${file ? `${folder}/${key}` : value}`);
}

function configured(service: DockerConfig['services'][number], plan: BuildPlan): WantedService {
  const lookup = variableLookup(plan.variables, plan.directories.temporary);
  const visible = plan.variables.filter((variable) => variable.public || variable.internal);
  return {
    image: expandText(service.name, lookup),
    aliases: words(expandText(service.alias, lookup)),
    environment: [...environmentText(plan, visible), ...service.environment],
    entrypoint: service.entrypoint,
    command: service.command,
    docker: { user: '', platform: '' },
    pullPolicies: [],
  };

  function words(text: string): readonly string[] {
    return text.split(/[\s,]+/).filter((word) => word !== '');
  }
}

function ofJob(service: PlannedImage): WantedService {
  const { name, aliases, entrypoint, command, docker, pullPolicies } = service;
  return {
    image: name,
    aliases,
    // Set with the plan: what is public, and its own.
    environment: service.variables.map(({ key, value }) => `${key}=${value}`),
    entrypoint,
    command,
    docker,
    pullPolicies,
  };
}
