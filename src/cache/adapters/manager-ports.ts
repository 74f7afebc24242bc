import type { Logger } from '../../observability/logger.ts';
import { createHttpClient, type HttpClient } from '../../platform/http-client.ts';
import { type ProxyResolver, proxyFromEnvironment } from '../../platform/proxy-environment.ts';
import { randomHex } from '../../platform/random.ts';
import { readTextFile } from '../../platform/staged-file.ts';
import { createTlsTrust } from '../../platform/tls-trust.ts';
import type { CacheStorePorts } from './cache-store.ts';

export interface ManagerPortsOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
}

/** The world as the manager's stores see it: proxies and trusted certificates as its environment says. */
export function managerPorts({ environment, logger, now }: ManagerPortsOptions): CacheStorePorts {
  const trust = createTlsTrust({ environment, reportProblem: (message) => logger.error(message) });
  const tlsFiles = { caFile: '', certFile: '', keyFile: '' };
  const client = (proxyFor: ProxyResolver): HttpClient =>
    createHttpClient({ trust, tlsFiles, proxyFor, connectionMaxAgeMs: 0 });
  return {
    http: client(proxyFromEnvironment(environment)),
    localHttp: client(() => undefined),
    log: logger,
    environment,
    now,
    readText: readTextFile,
    randomHex,
  };
}
