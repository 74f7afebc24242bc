import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TransferHttp } from '../../artifacts/http-port.ts';
import { hostPlatform, userAgent } from '../../gitlab/compatibility.ts';
import { sendWithRetry } from '../../gitlab/retry.ts';
import { statusText } from '../../gitlab/status-text.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/logger.ts';
import { createHttpClient, type HttpClient } from '../../platform/http-client.ts';
import { proxyFromEnvironment } from '../../platform/proxy-environment.ts';
import { inspectFile } from '../../platform/staged-file.ts';
import { createTlsTrust, type TlsFilePaths } from '../../platform/tls-trust.ts';
import type { HelperIo } from './helper-command.ts';

/** HTTP to the coordinator, with its retries. */
export function coordinatorHttp(tlsFiles: TlsFilePaths, io: HelperIo, log: Logger, clock: Clock): TransferHttp {
  const http = httpClient(tlsFiles, io, log);
  const retry = { clock, random: Math.random, logger: log.child({ context: 'ratelimit-requester-gitlab-request' }) };
  return {
    send: async (request, signal) => (await sendWithRetry(http, request, retry, signal)).response,
    sendOnce: (request, signal) => http.send(request, signal),
    describe: statusText,
  };
}

/** HTTP to object stores: the system's certificates, no retries of its own. */
export function objectStoreHttp(io: HelperIo, log: Logger): HttpClient {
  return httpClient({ caFile: '', certFile: '', keyFile: '' }, io, log);
}

export function helperUserAgent(): string {
  return userAgent(hostPlatform(process.platform, process.arch), `node${process.versions.node}`);
}

/** The given TLS files; in place of one that is not given what lies ready for the host in the configuration folder. */
export function findTlsFiles(given: TlsFilePaths, serverUrl: string, io: HelperIo): TlsFilePaths {
  const host = URL.parse(serverUrl)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const folder = join(configurationFolder(io), 'certs');
  const found = (path: string, ending: string): string => {
    if (path !== '' || host === '') return path;
    const candidate = join(folder, `${host}${ending}`);
    return inspectFile(candidate) === undefined ? '' : candidate;
  };
  return {
    caFile: found(given.caFile, '.crt'),
    certFile: found(given.certFile, '.auth.crt'),
    keyFile: found(given.keyFile, '.auth.key'),
  };
}

function configurationFolder(io: HelperIo): string {
  if (process.platform === 'win32') return io.workingDirectory;
  return process.getuid?.() === 0 ? '/etc/gitlab-runner' : join(io.env['HOME'] ?? homedir(), '.gitlab-runner');
}

function httpClient(tlsFiles: TlsFilePaths, io: HelperIo, log: Logger): HttpClient {
  const trust = createTlsTrust({ environment: io.env, reportProblem: (message) => log.error(message) });
  return createHttpClient({ trust, tlsFiles, proxyFor: proxyFromEnvironment(io.env), connectionMaxAgeMs: 0 });
}
