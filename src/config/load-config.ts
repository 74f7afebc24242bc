import { join } from 'node:path';
import type * as z from 'zod';
import { ConfigError, errorMessage } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { readConfigFile } from '../platform/config-file.ts';
import { discoverTlsFiles } from './discover-tls-files.ts';
import { expandEnvironment } from './expand-environment.ts';
import { mergeLabels } from './labels.ts';
import type { ManagerConfig } from './manager-config.ts';
import { matchKeys } from './match-keys.ts';
import type { RunnerConfig } from './runner-config.ts';
import { type ConfigDocument, configSchema, type RunnerDocument } from './schema.ts';
import { loadSystemId } from './system-id.ts';
import { toManagerConfig, toRunnerConfig } from './to-manager-config.ts';
import { nodeAt, parseTomlDocument, plainValue, type TomlNode } from './toml-document.ts';

export interface LoadConfigOptions {
  /** For `$VAR` in `token` and `url`, and SENTRY_DSN. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder whose `certs` holds TLS files found by host name (`defaultConfigFolder`). */
  readonly defaultFolder: string;
  readonly logger: Logger;
}

export interface LoadedConfig {
  readonly path: string;
  /** False: the file does not exist and nothing is configured. */
  readonly exists: boolean;
  /** Milliseconds since the epoch; 0 without a file. */
  readonly modifiedAtMs: number;
  readonly systemId: string;
  readonly config: ManagerConfig;
}

/**
 * Loads config.toml (spec config.md §3). A missing file is an empty configuration. The system id is read or made.
 * @throws ConfigError with file, line and column where they are known; StorageError when the file cannot be read.
 */
export async function loadConfig(path: string, options: LoadConfigOptions): Promise<LoadedConfig> {
  const file = await readConfigFile(path);
  const document = parseDocument(await parseTomlDocument(file?.text ?? '', path), path);
  checkGlobalLabels(document);
  const systemId = await loadSystemId(path, options.logger);
  const runners: RunnerConfig[] = [];
  for (const runner of document.runners) runners.push(await loadRunner(runner, document, systemId, options));
  const sentryDsn = document.sentry_dsn ?? options.environment['SENTRY_DSN'] ?? '';
  return {
    path,
    exists: file !== undefined,
    modifiedAtMs: file?.modifiedAtMs ?? 0,
    systemId,
    config: toManagerConfig(document, sentryDsn, runners),
  };
}

function parseDocument(document: TomlNode, path: string): ConfigDocument {
  const matched = matchKeys(document, configSchema);
  const parsed = configSchema.safeParse(plainValue(matched, 'marked'));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw parsed.error;
  const { at } = nodeAt(matched, issue.path);
  const key = issue.path.filter((part) => typeof part === 'string').join('.');
  const position = `${path}:${at.line}:${at.column}`;
  throw new ConfigError(`decoding configuration file: ${position}: incompatible types: ${key}: ${complaint(issue)}`);
}

function complaint(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message;
  if (issue.code === 'invalid_union' && issue.message !== 'Invalid input') return issue.message;
  if (issue.code === 'invalid_union') return 'a duration is a text like "1h30m" or a number of nanoseconds';
  if (issue.code !== 'invalid_type') return issue.message;
  const names: Readonly<Record<string, string>> = {
    number: 'an integer',
    array: 'an array',
    record: 'a table',
    object: 'a table',
  };
  return `expected ${names[issue.expected] ?? `a ${issue.expected}`}`;
}

function checkGlobalLabels(document: ConfigDocument): void {
  try {
    mergeLabels(document.labels, {});
  } catch (error) {
    throw new ConfigError(`invalid config: ${errorMessage(error)}`, { cause: error });
  }
}

async function loadRunner(
  runner: RunnerDocument,
  document: ConfigDocument,
  systemId: string,
  options: LoadConfigOptions,
): Promise<RunnerConfig> {
  const url = expandEnvironment(runner.url, options.environment);
  const named = { caFile: runner['tls-ca-file'], certFile: runner['tls-cert-file'], keyFile: runner['tls-key-file'] };
  try {
    return toRunnerConfig(runner, {
      url,
      token: expandEnvironment(runner.token, options.environment),
      systemId,
      labels: mergeLabels(document.labels, runner.labels),
      tls: await discoverTlsFiles(named, url, join(options.defaultFolder, 'certs')),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`invalid config: loading configuration for ${runner.name} runner: ${error.message}`, {
      cause: error,
    });
  }
}
