import { join } from 'node:path';
import { AbortReason } from '../../../lib/abort.ts';
import { errorMessage, JobConfigurationError } from '../../../lib/errors.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import { readConfigFile } from '../../../platform/config-file.ts';
import { findVariable } from '../../../variables/lookup.ts';
import { askHelper, type HelperHost, listStore } from './credential-helper.ts';
import { type DockerCredentials, parseDockerConfig, type RegistryAuth } from './docker-config.ts';
import { credentialPath, lookupPaths } from './registry-path.ts';

/** Credentials for an image, and where they come from. */
export interface FoundCredentials {
  readonly auth: RegistryAuth;
  /** As it stands in the job's log: `$DOCKER_AUTH_CONFIG`, a file, `job payload (GitLab Registry)`. */
  readonly source: string;
}

export interface CredentialSources {
  readonly plan: Pick<BuildPlan, 'variables' | 'registryCredentials'>;
  readonly host: HelperHost;
  /** Home of the runner's account; empty = none. */
  readonly homeFolder: string;
  /** A source that cannot be used; the job goes on without it. */
  readonly warn: (text: string) => void;
  readonly debug: (text: string) => void;
}

/** All credentials of one job. Sources are read at the first image that is pulled, once. */
export interface RegistryCredentials {
  /** @throws JobConfigurationError; the signal's reason. */
  find(imageName: string, signal: AbortSignal): Promise<FoundCredentials | undefined>;
}

export function createRegistryCredentials(sources: CredentialSources): RegistryCredentials {
  let loaded: Promise<ReadonlyMap<string, FoundCredentials>> | undefined;
  return {
    find: async (imageName, signal) => {
      // All images of a job are resolved under its signal: the first one may load for the others.
      loaded ??= loadAll(sources, signal);
      const known = await loaded;
      for (const path of lookupPaths(imageName)) {
        const found = known.get(path);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** In order; the first source that names a registry path wins (spec docker.md §8). */
async function loadAll(
  sources: CredentialSources,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FoundCredentials>> {
  const found = new Map<string, FoundCredentials>();
  for (const source of [await variableSource(sources), await homeSource(sources), payloadSource(sources)]) {
    if (source === undefined) continue;
    const auths = await resolve(source, sources, signal);
    for (const [key, auth] of auths) add(found, credentialPath(key), { auth, source: source.name }, sources);
    sources.debug(`Loaded Docker credentials, source = "${source.name}", hostnames = [${[...auths.keys()].join(' ')}]`);
  }
  return found;
}

function add(
  found: Map<string, FoundCredentials>,
  path: string,
  entry: FoundCredentials,
  sources: CredentialSources,
): void {
  const known = found.get(path);
  if (known === undefined) found.set(path, entry);
  else if (known.source !== entry.source) {
    sources.debug(
      `Not adding Docker credentials: credentials for "${path}" already set from "${known.source}", ignoring credentials from "${entry.source}"`,
    );
  }
}

interface Source {
  readonly name: string;
  readonly parse: () => DockerCredentials;
}

async function variableSource({ plan }: CredentialSources): Promise<Source | undefined> {
  const variable = findVariable(plan.variables, 'DOCKER_AUTH_CONFIG');
  if (variable === undefined || variable.value === '') return undefined;
  return { name: '$DOCKER_AUTH_CONFIG', parse: () => parseDockerConfig(variable.value) };
}

async function homeSource({ homeFolder, warn }: CredentialSources): Promise<Source | undefined> {
  if (homeFolder === '') return undefined;
  for (const [path, isLegacy] of [
    [join(homeFolder, '.docker', 'config.json'), false],
    [join(homeFolder, '.dockercfg'), true],
  ] as const) {
    try {
      const file = await readConfigFile(path);
      if (file !== undefined) return { name: path, parse: () => parseDockerConfig(file.text, isLegacy) };
    } catch (error) {
      warn(unusable(path, error));
      return undefined;
    }
  }
  return undefined;
}

function payloadSource({ plan }: CredentialSources): Source | undefined {
  if (plan.registryCredentials.length === 0) return undefined;
  const auths = plan.registryCredentials.map(({ url, username, password }): [string, RegistryAuth] => [
    url,
    { username, password, identityToken: '', registryToken: '', serverAddress: url },
  ]);
  return {
    name: 'job payload (GitLab Registry)',
    parse: () => ({ auths: new Map(auths), store: '', helpers: new Map() }),
  };
}

/** A source with what its store and helpers know; later ones go before. */
async function resolve(
  source: Source,
  { host, warn }: CredentialSources,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RegistryAuth>> {
  try {
    const { auths, store, helpers } = source.parse();
    const stored = store === '' ? [] : (await listStore(store, host, signal)).map((key) => [key, store] as const);
    const asked = await Promise.all(
      [...stored, ...helpers].map(async ([key, name]) => [key, await askHelper(name, key, host, signal)] as const),
    );
    const known = asked.flatMap(([key, auth]): [string, RegistryAuth][] => (auth === undefined ? [] : [[key, auth]]));
    return new Map([...auths, ...known]);
  } catch (error) {
    if (error instanceof AbortReason || error instanceof JobConfigurationError) throw error;
    warn(unusable(source.name, error));
    return new Map();
  }
}

function unusable(source: string, error: unknown): string {
  return `Failed to resolve credentials from ${source}: ${errorMessage(error)}. Credentials from this source will not be used.`;
}
