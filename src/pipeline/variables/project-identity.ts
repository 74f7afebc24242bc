import { createHash } from 'node:crypto';
import type { CompileOptions } from '../options.ts';

/** Which project of which server the pipeline is for. */
export interface ProjectIdentity {
  readonly id: number;
  readonly name: string;
  /** `group/name` */
  readonly path: string;
  /** `group`, with subgroups. */
  readonly namespace: string;
  /** Undefined without a remote. */
  readonly server: ServerIdentity | undefined;
}

export interface ServerIdentity {
  readonly url: string;
  readonly protocol: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  /** Host, with the port if it is not the protocol's own. */
  readonly fqdn: string;
  readonly sshPort: number | undefined;
}

const LOCAL_NAMESPACE = 'local';
const PORTS = { https: 443, http: 80 } as const;
const MAX_ID = 2 ** 31 - 1;

/** Finds out from the remote, or from what the user says instead. */
export function identifyProject(options: CompileOptions): ProjectIdentity {
  const { remote, folderName } = options.gitFacts;
  const path = options.projectPath ?? remote?.projectPath ?? `${LOCAL_NAMESPACE}/${folderName}`;
  const segments = path.split('/');
  const name = segments.at(-1) ?? path;
  const namespace = segments.slice(0, -1).join('/');
  const server = identifyServer(options);
  return { id: options.projectId ?? stableId(`${server?.fqdn ?? ''}/${path}`), name, path, namespace, server };
}

/** The same positive number for the same text on every machine. */
export function stableId(text: string): number {
  return (createHash('sha256').update(text).digest().readUInt32BE(0) % MAX_ID) + 1;
}

function identifyServer(options: CompileOptions): ServerIdentity | undefined {
  const { remote } = options.gitFacts;
  if (options.serverUrl !== undefined && URL.canParse(options.serverUrl)) {
    const url = new URL(options.serverUrl);
    const protocol = url.protocol === 'http:' ? 'http' : 'https';
    return server(protocol, url.hostname, url.port === '' ? PORTS[protocol] : Number(url.port), undefined);
  }
  if (remote === undefined) return undefined;
  const isWeb = remote.scheme === 'https' || remote.scheme === 'http';
  const protocol = remote.scheme === 'http' ? 'http' : 'https';
  const port = isWeb ? (remote.port ?? PORTS[protocol]) : PORTS[protocol];
  return server(protocol, remote.host, port, remote.scheme === 'ssh' ? (remote.port ?? 22) : undefined);
}

function server(protocol: 'https' | 'http', host: string, port: number, sshPort: number | undefined): ServerIdentity {
  const fqdn = port === PORTS[protocol] ? host : `${host}:${port}`;
  return { url: `${protocol}://${fqdn}`, protocol, host, port, fqdn, sshPort };
}
