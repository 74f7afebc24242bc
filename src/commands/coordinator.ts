import { join, resolve } from 'node:path';
import { parseFaultRules } from '../coordinator/faults/fault-rules.ts';
import type { CoordinatorOptions } from '../coordinator/options.ts';
import { sourcesServer } from '../coordinator/sources/mount.ts';
import { type RunningCoordinator, startCoordinator } from '../coordinator/start.ts';
import { CommandError } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { readStateFile } from '../platform/state-file.ts';
import type { CommandEnvironment } from './command-environment.ts';

/** Options of `millrace coordinator`, as the command line gives them. */
export interface CoordinatorCommandOptions {
  /** `host:port`, `[v6]:port`, `:port` or `port`; default `127.0.0.1:8090`. */
  readonly listen?: string;
  /** Default: `.millrace/coordinator` in the working directory. */
  readonly dataDir?: string;
  /** Finished pipelines to keep. */
  readonly keep?: number;
  readonly keepDays?: number;
  /** File of fault rules. */
  readonly injectFaults?: string;
  readonly externalUrl?: string;
  readonly longPollSeconds?: number;
  readonly acknowledgeTimeoutSeconds?: number;
  /** Fixed `X-GitLab-Trace-Update-Interval`. */
  readonly traceUpdateIntervalSeconds?: number;
  readonly traceCheck?: 'record' | 'strict' | 'strict_reset';
  readonly directDownload?: 'never' | 'redirect';
  readonly logger?: Logger;
}

const defaultListen = '127.0.0.1:8090';

/**
 * Runs the embedded coordinator until the signal is aborted.
 * @throws CommandError, ConfigError
 */
export async function runCoordinatorCommand(
  options: CoordinatorCommandOptions,
  io: Pick<CommandEnvironment, 'stdout' | 'env' | 'workingDirectory'>,
  signal: AbortSignal,
): Promise<void> {
  const listen = parseListenAddress(options.listen ?? defaultListen);
  const coordinator = await startCoordinator({
    ...pick(options),
    ...readFaults(options.injectFaults),
    dataDir: resolve(io.workingDirectory, options.dataDir ?? join('.millrace', 'coordinator')),
    listen,
    sources: sourcesServer({ env: io.env, trustsLocalFolders: isLoopback(listen.host) }),
  });
  try {
    io.stdout(welcome(coordinator));
    await untilAborted(signal);
  } finally {
    await coordinator.close();
  }
}

function pick(options: CoordinatorCommandOptions): Omit<CoordinatorOptions, 'dataDir'> {
  const { externalUrl, longPollSeconds, acknowledgeTimeoutSeconds, traceUpdateIntervalSeconds } = options;
  const { traceCheck, directDownload, logger, keep, keepDays } = options;
  return {
    ...(externalUrl === undefined ? {} : { externalUrl }),
    ...(longPollSeconds === undefined ? {} : { longPollSeconds }),
    ...(acknowledgeTimeoutSeconds === undefined ? {} : { acknowledgeTimeoutSeconds }),
    ...(traceUpdateIntervalSeconds === undefined ? {} : { traceUpdateIntervalSeconds }),
    ...(traceCheck === undefined ? {} : { traceCheck }),
    ...(directDownload === undefined ? {} : { directDownload }),
    ...(logger === undefined ? {} : { logger }),
    keep: {
      ...(keep === undefined ? {} : { pipelines: keep }),
      ...(keepDays === undefined ? {} : { days: keepDays }),
    },
  };
}

function readFaults(path: string | undefined): Pick<CoordinatorOptions, 'faults' | 'faultSeed'> {
  if (path === undefined) return {};
  const text = readStateFile(path);
  if (text === undefined) throw new CommandError(`There is no file ${path} with fault rules.`);
  const { rules, seed } = parseFaultRules(text);
  return { faults: rules, faultSeed: seed };
}

/**
 * Reads an address to listen on.
 * @throws CommandError
 */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new CommandError(`--listen ${text} is not an address to listen on.`, {
      hint: 'Write host:port, for example 127.0.0.1:8090.',
    });
  }
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function welcome(coordinator: RunningCoordinator): string {
  const runner = coordinator.createRunner({ description: 'local', reuse: true });
  return `The coordinator listens on ${coordinator.url}

Registration token: ${coordinator.registrationToken}
Admin token:        ${coordinator.adminToken}

An entry for config.toml:

[[runners]]
  name = "local"
  url = "${coordinator.url}"
  token = "${runner.token}"
  executor = "shell"
`;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
