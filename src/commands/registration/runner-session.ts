import { resolve } from 'node:path';
import { executorTable } from '../../compose.ts';
import { defaultConfigFolder, defaultConfigPath } from '../../config/config-paths.ts';
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import type { RunnerConfig } from '../../config/runner-config.ts';
import type { SaveOptions } from '../../config/save-config.ts';
import { hostPlatform } from '../../gitlab/compatibility.ts';
import { type CoordinatorClients, createCoordinatorClients } from '../../gitlab/coordinator-clients.ts';
import { type RunnerInfo, runnerInfo } from '../../gitlab/runner-info.ts';
import { CommandError, errorMessage, MillraceError } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import type { LogDestination, OperatorLog } from '../../observability/operator-log.ts';
import { processAccount } from '../../platform/account.ts';
import { selfCommand } from '../../platform/self-command.ts';
import { defaultStateFolder } from '../../platform/state-location.ts';
import { systemClock } from '../../platform/system-clock.ts';
import type { CommandEnvironment } from '../command-environment.ts';
import { type LogOptions, openCommandLog } from '../command-log.ts';
import { product } from '../product.ts';
import { stopSignal } from '../stop-signal.ts';

/** Options of every command that works on config.toml. */
export interface SessionOptions extends LogOptions {
  readonly config?: string;
}

/** What a command that works on config.toml has at hand. */
export interface RunnerSession {
  readonly logger: Logger;
  readonly environment: CommandEnvironment;
  /** Of config.toml. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly saving: SaveOptions;
  readonly clients: CoordinatorClients;
  /** Folder whose `certs` holds TLS files. */
  readonly defaultFolder: string;
  /** Reads config.toml as `run` does, and makes the system id where there is none. @throws ConfigError */
  load(): Promise<LoadedConfig>;
  /** What GitLab is told of this manager; with the features of the runner's executor where one is given. */
  infoFor(runner?: RunnerConfig): RunnerInfo;
}

/**
 * Runs a command that works on config.toml. What it throws ends it as a FATAL line.
 * @returns the exit code.
 */
export async function withRunnerSession(
  options: SessionOptions,
  environment: CommandEnvironment,
  work: (session: RunnerSession) => Promise<void>,
): Promise<number> {
  let log: OperatorLog;
  try {
    log = await openCommandLog(options, environment, inOrder(environment));
  } catch (error) {
    environment.stderr(`FATAL: Error while setting up logging configuration: ${errorMessage(error)}\n`);
    return 1;
  }
  const stop = stopSignal(environment);
  const session = createSession(options, environment, log.logger, stop.signal);
  try {
    await work(session);
    return 0;
  } catch (error) {
    if (!(error instanceof MillraceError) && !stop.signal.aborted) throw error;
    tellFatal(log, error);
    return 1;
  } finally {
    session.clients.close();
    stop.dispose();
    log.flush();
  }
}

/** Lines and questions share the terminal: they are written in their order, by the same stream. */
function inOrder({ stderr }: CommandEnvironment): LogDestination {
  return { write: stderr, flush: () => {} };
}

function tellFatal(log: OperatorLog, error: unknown): void {
  const isOurs = error instanceof MillraceError;
  const cause = isOurs && error instanceof CommandError && error.cause !== undefined ? error.cause : undefined;
  log.fatal(errorMessage(error), {
    ...(cause === undefined ? {} : { error: errorMessage(cause) }),
    ...(isOurs && error.hint !== undefined ? { hint: error.hint } : {}),
  });
}

function createSession(
  options: SessionOptions,
  environment: CommandEnvironment,
  logger: Logger,
  signal: AbortSignal,
): RunnerSession {
  const { env, workingDirectory } = environment;
  const place = { ...processAccount(), workingDirectory };
  const path = resolve(workingDirectory, options.config ?? env['CONFIG_FILE'] ?? defaultConfigPath(place));
  const host = hostPlatform(process.platform, process.arch);
  const clock = systemClock();
  const clients = createCoordinatorClients({
    environment: env,
    host,
    language: `node${process.versions.node}`,
    clock,
    logger,
    connectionMaxAgeMs: 0,
  });
  const defaultFolder = defaultConfigFolder(place);
  return {
    logger,
    environment,
    path,
    signal,
    clients,
    defaultFolder,
    saving: { stateFolder: defaultStateFolder(env) },
    load: async () => await loadConfig(path, { environment: env, defaultFolder, logger }),
    infoFor: (runner) => {
      if (runner === undefined) return runnerInfo({ host });
      const providers = executorTable({
        environment: env,
        workingDirectory,
        selfCommand: selfCommand(),
        user: '',
        clock,
      });
      const traits = providers.get(runner.executor)?.traits(runner);
      const shell = runner.shell === '' ? (traits?.defaultShell ?? '') : runner.shell;
      const executor = { name: runner.executor, shell, features: traits?.features ?? [] };
      return runnerInfo({ host, labels: runner.labels, executor });
    },
  };
}

/** Says under whose account the command works (spec commands.md §1). */
export function tellMode(logger: Logger): void {
  const { operatingSystem, userId } = processAccount();
  if (operatingSystem === 'win32') return;
  if (userId === 0) {
    logger.info('Running in system-mode.');
  } else {
    logger.warn('Running in user-mode.');
    logger.warn('Use sudo for system-mode:');
    logger.warn(`$ sudo ${product.name}...`);
  }
  logger.info('');
}

/** The file was written. */
export function tellUpdated(session: RunnerSession): void {
  session.logger.info(`Updated ${session.path}`);
}
