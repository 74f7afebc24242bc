import { DaemonAgent, type DaemonEndpoint } from '../../../platform/daemon-connection.ts';
import { loadDaemonTls } from '../../../platform/daemon-tls.ts';
import { proxyFromEnvironment } from '../../../platform/proxy-environment.ts';
import { type DaemonAddress, type DaemonSettings, daemonAddress } from './address.ts';
import { daemonInfoSchema, daemonVersionSchema } from './answers.ts';
import { compareVersions } from './api-version.ts';
import { createCaller, type DaemonCaller } from './caller.ts';
import { containerCalls } from './container-calls.ts';
import type { DockerClient, EventOptions, EventStream } from './docker-client.ts';
import { imageCalls } from './image-calls.ts';
import { resourceCalls } from './resource-calls.ts';
import { eventStream } from './streams.ts';

export interface ConnectOptions {
  readonly settings: DaemonSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `process.platform` */
  readonly platform: string;
  /** Where `ssh` is started. */
  readonly workingDirectory: string;
}

/** Only over a network: a daemon that has stopped answering. A local one is waited for. */
const HEADER_TIMEOUT_MS = 120_000;

/**
 * A client of the daemon that the settings name. Nothing is sent yet: the first call finds out whether it is there.
 * @throws ConfigError for an address or certificates that cannot be used.
 */
export async function connectDocker(options: ConnectOptions): Promise<DockerClient> {
  const address = daemonAddress(options.settings, options.environment, options.platform);
  const agent = new DaemonAgent(await endpointOf(address, options));
  const headerTimeoutMs = address.kind === 'socket' ? undefined : HEADER_TIMEOUT_MS;
  const transport = { address: address.url, agent, headerTimeoutMs };
  const caller = createCaller(transport, options.environment['DOCKER_API_VERSION'] ?? '');
  return {
    address: address.url,
    apiVersion: (signal) => caller.version(signal),
    supports: async (version, signal) => compareVersions(await caller.version(signal), version) >= 0,
    info: (signal) => caller.json({ method: 'GET', path: '/info' }, daemonInfoSchema, signal),
    version: (signal) => caller.json({ method: 'GET', path: '/version' }, daemonVersionSchema, signal),
    events: (wanted, signal) => openEvents(caller, wanted, signal),
    close: () => agent.closeIdle(),
    ...containerCalls(caller),
    ...imageCalls(caller),
    ...resourceCalls(caller),
  };
}

async function endpointOf(address: DaemonAddress, options: ConnectOptions): Promise<DaemonEndpoint> {
  switch (address.kind) {
    case 'socket':
      return { kind: 'socket', path: address.path };
    case 'tcp': {
      const { host, port, isSecure, certPath } = address;
      const url = new URL(`${isSecure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`);
      const tls = isSecure ? await loadDaemonTls(certPath) : undefined;
      return { kind: 'tcp', host, port, tls, proxy: proxyFromEnvironment(options.environment)(url) };
    }
    case 'ssh': {
      const [file = 'ssh', ...args] = address.command;
      return { kind: 'command', command: { file, args, cwd: options.workingDirectory, env: options.environment } };
    }
  }
}

/**
 * The daemon accepts the request a moment before it listens: asking for what happened since closes that gap, at the
 * price of events of the last second or two.
 */
async function openEvents(caller: DaemonCaller, options: EventOptions, signal: AbortSignal): Promise<EventStream> {
  const since = options.since ?? (await caller.daemonSeconds(signal));
  const query = { filters: JSON.stringify(options.filters), since, until: options.until };
  return eventStream(await caller.open({ method: 'GET', path: '/events', query, isSlow: true }, signal));
}
