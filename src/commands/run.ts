import { resolve } from 'node:path';
import { configNotes } from '../config/config-notes.ts';
import { defaultConfigFolder, defaultConfigPath } from '../config/config-paths.ts';
import { type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { hostPlatform } from '../gitlab/compatibility.ts';
import { type CoordinatorClients, createCoordinatorClients } from '../gitlab/coordinator-clients.ts';
import type { Clock } from '../lib/clock.ts';
import { CommandError, errorMessage, MillraceError } from '../lib/errors.ts';
import { type ManagerEnd, type RunnerManagerOptions, startRunnerManager } from '../manager/runner-manager.ts';
import type { Logger } from '../observability/logger.ts';
import { type LogDestination, type OperatorLog, standardErrorDestination } from '../observability/operator-log.ts';
import { type ProcessAccount, processAccount } from '../platform/account.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { applyConfigToLog, type LogOptions, openCommandLog } from './command-log.ts';
import { listenToSignals } from './manager-signals.ts';
import { product } from './product.ts';

/** Options of `run` as they were given (spec commands.md §3); absent = not given. */
export interface RunOptions extends LogOptions {
  readonly config?: string;
  readonly listenAddress?: string;
  readonly service?: string;
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly syslog?: boolean;
}

/** The parts of a manager that the composition root chooses for a configuration. */
export type ManagerParts = Pick<
  RunnerManagerOptions,
  'providers' | 'runJob' | 'recover' | 'canTakeJobs' | 'numberClaims'
> & {
  /** Called once nothing runs any more, whatever the end. */
  readonly close?: () => Promise<void>;
};

export interface ManagerTools {
  readonly loaded: LoadedConfig;
  /** Account that runs shell scripts (`--user` before `user`); empty = ours. */
  readonly user: string;
  /** Relative paths of the configuration start here. */
  readonly workingDirectory: string;
  readonly clients: CoordinatorClients;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly environment: CommandEnvironment;
}

export type ComposeManager = (tools: ManagerTools) => Promise<ManagerParts>;

/**
 * `run`: serves the runners of a config file until it is told to stop.
 * @param destination where log lines go; default: standard error
 * @returns the exit code. A forced or timed out end leaves the process at once, through `environment.exit`.
 */
export async function runManagerCommand(
  options: RunOptions,
  environment: CommandEnvironment,
  compose: ComposeManager,
  destination?: LogDestination,
): Promise<number> {
  const target = destination ?? (await standardErrorDestination());
  let log: OperatorLog;
  try {
    log = await openCommandLog(options, environment, target);
  } catch (error) {
    environment.stderr(`FATAL: Error while setting up logging configuration: ${errorMessage(error)}\n`);
    return 1;
  }
  try {
    const end = await serve(options, environment, compose, log);
    if (end.kind === 'clean') return 0;
    if (end.kind === 'failed') throw end.error;
    const reason = end.kind === 'forced' ? `forced exit with stop signal: ${end.signalName}` : 'shutdown timed out';
    log.fatal('Service run failed', { error: reason });
    log.flush();
    return environment.exit(1);
  } catch (error) {
    log.fatal('Service run failed', describe(error));
    return 1;
  } finally {
    log.flush();
  }
}

async function serve(
  options: RunOptions,
  environment: CommandEnvironment,
  compose: ComposeManager,
  log: OperatorLog,
): Promise<ManagerEnd> {
  const { logger } = log;
  const account = processAccount();
  const workingDirectory = changeDirectory(options, environment);
  const place = { ...account, workingDirectory };
  const path = resolve(workingDirectory, options.config ?? environment.env['CONFIG_FILE'] ?? defaultConfigPath(place));
  logger.info(`Starting multi-runner from ${path}...`, { builds: 0, max_builds: 0 });
  tellMode(account, logger);
  const loaded = await loadConfig(path, {
    environment: environment.env,
    defaultFolder: defaultConfigFolder(place),
    logger,
  });
  applyConfigToLog(log, options, environment, loaded.config);
  logger.info('Configuration loaded', { builds: 0, max_builds: loaded.config.concurrent });
  tellNotes(loaded, options, logger);
  const user = options.user ?? loaded.config.user;
  return await runManager({ loaded, user, workingDirectory, environment, log, compose });
}

interface Start extends Pick<ManagerTools, 'loaded' | 'user' | 'workingDirectory'> {
  readonly environment: CommandEnvironment;
  readonly log: OperatorLog;
  readonly compose: ComposeManager;
}

async function runManager({ log, compose, ...start }: Start): Promise<ManagerEnd> {
  const { logger } = log;
  const { environment } = start;
  const { config } = start.loaded;
  const clock = systemClock();
  const host = hostPlatform(process.platform, process.arch);
  const clients = createCoordinatorClients({
    environment: environment.env,
    host,
    language: `node${process.versions.node}`,
    clock,
    logger,
    connectionMaxAgeMs: config.connectionMaxAgeMs,
  });
  logger.info('Initializing executor providers', { builds: 0, max_builds: config.concurrent });
  const parts = await compose({ ...start, clients, clock, logger });
  try {
    const manager = startRunnerManager({ config, clients, clock, host, logger, ...parts });
    const stopListening = listenToSignals(manager, environment, logger);
    const end = await manager.done;
    stopListening();
    return end;
  } finally {
    await parts.close?.();
  }
}

function changeDirectory(options: RunOptions, environment: CommandEnvironment): string {
  const wanted = options.workingDirectory;
  if (wanted === undefined || wanted === '') return environment.workingDirectory;
  try {
    process.chdir(wanted);
  } catch (error) {
    throw new CommandError(`cannot change to the working directory ${wanted}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  return resolve(environment.workingDirectory, wanted);
}

function tellMode(account: ProcessAccount, logger: Logger): void {
  if (account.operatingSystem === 'win32') return;
  if (account.userId === 0) {
    logger.info('Running in system-mode.');
  } else {
    logger.warn('Running in user-mode.');
    logger.warn('Use sudo for system-mode:');
    logger.warn(`$ sudo ${product.name}...`);
  }
  logger.info('');
}

function tellNotes(loaded: LoadedConfig, options: RunOptions, logger: Logger): void {
  for (const note of configNotes(loaded)) logger[note.level](note.message, note.fields);
  if (loaded.config.listenAddress === '') logger.info('listen_address not defined, metrics & debug endpoints disabled');
  if (loaded.config.sessionServer.listenAddress === '') {
    logger.info('[session_server].listen_address not defined, session endpoints disabled');
  }
  if ((options.listenAddress ?? '') !== '')
    logger.warn('--listen-address is given, but this version serves no metrics');
  if (options.syslog === true) logger.warn('--syslog is given, but this version logs to standard error only');
}

function describe(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof MillraceError)) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  return error.hint === undefined ? { error: error.message } : { error: error.message, hint: error.hint };
}
