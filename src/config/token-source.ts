import { dirname, resolve } from 'node:path';
import { ConfigError, errorMessage } from '../lib/errors.ts';
import { readConfigFile } from '../platform/config-file.ts';
import { expandEnvironment } from './expand-environment.ts';
import type { TokenSource } from './runner-config.ts';

export interface RunnerToken {
  readonly token: string;
  readonly tokenSource: TokenSource;
}

/**
 * The token of a `[[runners]]` entry and where it came from.
 * @throws ConfigError when the entry names a file that cannot be read or is empty, or a token and a file.
 */
export async function readRunnerToken(
  entry: { readonly token: string; readonly token_file: string },
  configPath: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RunnerToken> {
  if (entry.token_file === '') {
    const kind = entry.token.includes('$') ? 'environment' : 'literal';
    return { token: expandEnvironment(entry.token, environment), tokenSource: { kind } };
  }
  if (entry.token !== '') throw new ConfigError('token and token_file are both set: keep one of them');
  const path = resolve(dirname(configPath), entry.token_file);
  return { token: await readTokenFile(path), tokenSource: { kind: 'file', path } };
}

async function readTokenFile(path: string): Promise<string> {
  let text: string;
  try {
    text = (await readConfigFile(path))?.text.trim() ?? missing(path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`token_file: ${errorMessage(error)}`, { cause: error });
  }
  if (text === '') throw new ConfigError(`token_file ${path} is empty`);
  return text;
}

function missing(path: string): never {
  throw new ConfigError(`token_file ${path} does not exist`);
}
