import { join } from 'node:path';
import { ConfigError, errorMessage } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { readConfigFile } from '../platform/config-file.ts';
import type { ConfigNote } from './config-notes.ts';
import { discoverTlsFiles } from './discover-tls-files.ts';
import { expandEnvironment } from './expand-environment.ts';
import { mergeLabels } from './labels.ts';
import type { ManagerConfig } from './manager-config.ts';
import { readDocument } from './read-document.ts';
import type { RunnerConfig } from './runner-config.ts';
import type { ConfigDocument, RunnerDocument } from './schema.ts';
import { exposureNotes } from './secret-exposure.ts';
import { loadSystemId } from './system-id.ts';
import { toManagerConfig, toRunnerConfig } from './to-manager-config.ts';
import { readRunnerToken } from './token-source.ts';

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
  /** What was tolerated, and secrets that others can read. The same ones at every load. */
  readonly warnings: readonly ConfigNote[];
}

/**
 * Loads config.toml (spec config.md §3). A missing file is an empty configuration. The system id is read or made.
 * @throws ConfigError with file, line and column where they are known; StorageError when the file cannot be read.
 */
export async function loadConfig(path: string, options: LoadConfigOptions): Promise<LoadedConfig> {
  const file = await readConfigFile(path);
  const { document, hasSecrets, notes } = await readDocument(file?.text ?? '', path, options.environment);
  checkGlobalLabels(document);
  const systemId = await loadSystemId(path, options.logger);
  const runners: RunnerConfig[] = [];
  for (const runner of document.runners)
    runners.push(await loadRunner(runner, document, systemId, { ...options, path }));
  const sentryDsn = document.sentry_dsn ?? options.environment['SENTRY_DSN'] ?? '';
  return {
    path,
    exists: file !== undefined,
    modifiedAtMs: file?.modifiedAtMs ?? 0,
    systemId,
    config: toManagerConfig(document, sentryDsn, runners),
    warnings: [...notes, ...(await exposureNotes(path, hasSecrets, runners))],
  };
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
  options: LoadConfigOptions & { readonly path: string },
): Promise<RunnerConfig> {
  const url = expandEnvironment(runner.url, options.environment);
  const named = { caFile: runner['tls-ca-file'], certFile: runner['tls-cert-file'], keyFile: runner['tls-key-file'] };
  try {
    return toRunnerConfig(runner, {
      url,
      ...(await readRunnerToken(runner, options.path, options.environment)),
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
