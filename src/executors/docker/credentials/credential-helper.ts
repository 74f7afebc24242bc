import * as z from 'zod';
import { JobConfigurationError } from '../../../lib/errors.ts';
import { runCommand } from '../../../platform/run-command.ts';
import type { RegistryAuth } from './docker-config.ts';

/** Programs `docker-credential-<name>` of the machine of the runner. */
export interface HelperHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

const answerSchema = z.object({
  ServerURL: z.string().optional(),
  Username: z.string().default(''),
  Secret: z.string().default(''),
});
const listSchema = z.record(z.string(), z.string());

/** A user name that says: the secret is an identity token. */
const TOKEN_USER = '<token>';
const NOT_FOUND = /credentials not found/i;

/**
 * Asks a helper for one registry; undefined = it has nothing for it.
 * @throws JobConfigurationError for a helper's name that is a path; Error when the helper fails.
 */
export async function askHelper(
  name: string,
  registry: string,
  host: HelperHost,
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  const output = await runHelper(name, 'get', registry, host, signal);
  if (output === undefined) return undefined;
  const { Username, Secret } = answerSchema.parse(JSON.parse(output));
  const isToken = Username === TOKEN_USER;
  return {
    username: isToken ? '' : Username,
    password: isToken ? '' : Secret,
    identityToken: isToken ? Secret : '',
    registryToken: '',
    serverAddress: registry,
  };
}

/** The registries that a store knows. */
export async function listStore(name: string, host: HelperHost, signal: AbortSignal): Promise<readonly string[]> {
  const output = await runHelper(name, 'list', '', host, signal);
  return output === undefined ? [] : Object.keys(listSchema.parse(JSON.parse(output)));
}

async function runHelper(
  name: string,
  action: 'get' | 'list',
  input: string,
  host: HelperHost,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (/[/\\]/.test(name)) {
    throw new JobConfigurationError(`credential helper ${JSON.stringify(name)}: path traversal is not allowed`);
  }
  const command = {
    file: `docker-credential-${name}`,
    args: [action],
    cwd: host.workingDirectory,
    env: host.environment,
  };
  const { exitCode, signal: killedBy, stdout, stderr } = await runCommand(command, signal, input);
  const output = stdout.toString('utf8').trim();
  if (exitCode === 0) return output;
  if (NOT_FOUND.test(output)) return undefined;
  const words = (output === '' ? stderr : output).trim().slice(0, 200);
  throw new Error(`${command.file} ${action} failed (${exitCode ?? killedBy ?? 'unknown'}): ${words}`);
}
