import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../observability/logger.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { proxyFromEnvironment } from '../platform/proxy-environment.ts';
import { createTlsTrust, type TlsFilePaths } from '../platform/tls-trust.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type HostPlatform, userAgent } from './compatibility.ts';

export interface CoordinatorTarget {
  /** As configured. */
  readonly url: string;
  /** Runner token; empty while registering. */
  readonly token: string;
  readonly tls: TlsFilePaths;
}

/** The clients of a process: one per URL, token and TLS files, kept for its life (spec protocol.md §1.1). */
export interface CoordinatorClients {
  /** @throws ApiError `protocol` when the URL cannot be used. */
  clientFor(target: CoordinatorTarget): ApiClient;
  /** Closes all idle connections. */
  close(): void;
}

export interface CoordinatorClientsOptions {
  /** For proxies and trusted certificates. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly host: HostPlatform;
  /** As `node24.1.0`; third part of the User-Agent. */
  readonly language: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds; 0 = idle connections are kept. */
  readonly connectionMaxAgeMs: number;
}

export function createCoordinatorClients(options: CoordinatorClientsOptions): CoordinatorClients {
  const { environment, logger, clock, connectionMaxAgeMs } = options;
  const clients = new Map<string, ApiClient>();
  const proxyFor = proxyFromEnvironment(environment);
  const trust = createTlsTrust({ environment, reportProblem: (message) => logger.error(message) });
  const agent = userAgent(options.host, options.language);

  function createClient(target: CoordinatorTarget): ApiClient {
    const http = createHttpClient({ trust, tlsFiles: target.tls, proxyFor, connectionMaxAgeMs });
    return createApiClient({
      http,
      url: target.url,
      token: target.token,
      userAgent: agent,
      clock,
      logger,
      random: Math.random,
      newRequestId: () => randomUUID().replaceAll('-', ''),
    });
  }

  return {
    clientFor: (target) => {
      const key = JSON.stringify([
        target.url,
        target.token,
        target.tls.caFile,
        target.tls.certFile,
        target.tls.keyFile,
      ]);
      const client = clients.get(key) ?? createClient(target);
      clients.set(key, client);
      return client;
    },
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}
