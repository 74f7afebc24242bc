import type { ManagerConfig } from '../config/manager-config.ts';
import { hostPlatform } from '../gitlab/compatibility.ts';
import { CommandError, ConfigError } from '../lib/errors.ts';
import { type LogFormat, type LogLevel, parseLogFormat, parseLogLevel } from '../observability/log-format.ts';
import { type LogDestination, type OperatorLog, openOperatorLog } from '../observability/operator-log.ts';
import { isErrorOutputTerminal } from '../platform/account.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { isTrue } from './option-values.ts';
import { product } from './product.ts';

/** Global log options as they were given (spec commands.md §1). */
export interface LogOptions {
  readonly debug?: boolean;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

/**
 * Opens a command's log and writes its first line.
 * @throws CommandError when a level or format is not known
 */
export async function openCommandLog(
  options: LogOptions,
  environment: CommandEnvironment,
  destination: LogDestination,
): Promise<OperatorLog> {
  const log = await openOperatorLog({
    level: chosenLevel(options, environment) ?? 'info',
    format: chosenFormat(options, environment) ?? 'runner',
    isTerminal: isErrorOutputTerminal(),
    destination,
  });
  const { platform, architecture } = hostPlatform(process.platform, process.arch);
  log.logger.info('Runtime platform', {
    arch: architecture,
    os: platform,
    pid: process.pid,
    revision: product.revision,
    version: product.version,
  });
  return log;
}

/**
 * Level and format of config.toml, where neither option nor environment named them.
 * @throws ConfigError
 */
export function applyConfigToLog(
  log: OperatorLog,
  options: LogOptions,
  environment: CommandEnvironment,
  config: Pick<ManagerConfig, 'logLevel' | 'logFormat'>,
): void {
  if (config.logLevel !== undefined && chosenLevel(options, environment) === undefined) {
    const level = parseLogLevel(config.logLevel);
    if (level === undefined) throw new ConfigError(`log_level ${JSON.stringify(config.logLevel)} is not a log level`);
    log.setLevel(level);
  }
  if (config.logFormat !== undefined && chosenFormat(options, environment) === undefined) {
    const format = parseLogFormat(config.logFormat);
    if (format === undefined)
      throw new ConfigError(`log_format ${JSON.stringify(config.logFormat)} is not a log format`);
    log.setFormat(format);
  }
}

function chosenLevel(options: LogOptions, { env }: CommandEnvironment): LogLevel | undefined {
  if (options.debug ?? isTrue(env['RUNNER_DEBUG'])) return 'debug';
  const name = options.logLevel ?? env['LOG_LEVEL'] ?? '';
  if (name === '') return undefined;
  const level = parseLogLevel(name);
  if (level === undefined) throw new CommandError(`${JSON.stringify(name)} is not a log level`);
  return level;
}

function chosenFormat(options: LogOptions, { env }: CommandEnvironment): LogFormat | undefined {
  const name = options.logFormat ?? env['LOG_FORMAT'] ?? '';
  if (name === '') return undefined;
  const format = parseLogFormat(name);
  if (format === undefined) throw new CommandError(`${JSON.stringify(name)} is not a log format`);
  return format;
}
