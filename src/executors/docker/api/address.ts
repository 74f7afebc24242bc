import { ConfigError } from '../../../lib/errors.ts';

/** Where a daemon is, as the settings say it. */
export interface DaemonSettings {
  /** `unix:///var/run/docker.sock`; empty = `DOCKER_HOST` and its companions, then the system's default. */
  readonly host: string;
  readonly tlsCertPath: string;
  readonly tlsVerify: boolean;
}

export type DaemonAddress =
  | { readonly kind: 'socket'; readonly url: string; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly url: string;
      readonly host: string;
      readonly port: number;
      readonly isSecure: boolean;
      /** Folder with ca.pem, cert.pem, key.pem; empty = the system's authorities. */
      readonly certPath: string;
    }
  | { readonly kind: 'ssh'; readonly url: string; readonly command: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Resolves the settings (spec docker.md §2): with an empty host all three values come from the environment.
 * `ssh://[user@]host[:port][/socket]` is ours.
 * @throws ConfigError
 */
export function daemonAddress(settings: DaemonSettings, environment: Environment, platform: string): DaemonAddress {
  const { host, tlsCertPath, tlsVerify } = settings.host === '' ? fromEnvironment(environment) : settings;
  const url = host === '' ? defaultHost(platform) : host;
  const match = /^([a-z]+):\/\/(.+)$/is.exec(url);
  const [scheme, rest] = [match?.[1]?.toLowerCase(), match?.[2]];
  if (scheme === undefined || rest === undefined) throw badHost(url);
  switch (scheme) {
    case 'unix':
      return { kind: 'socket', url, path: rest };
    case 'npipe':
      return { kind: 'socket', url, path: rest };
    case 'tcp':
    case 'http':
    case 'https':
      return {
        kind: 'tcp',
        url,
        ...tcpParts(url, rest, scheme === 'https' || tlsVerify),
        certPath: tlsVerify ? tlsCertPath : '',
      };
    case 'ssh':
      return { kind: 'ssh', url, command: sshCommand(url) };
    default:
      throw badHost(url);
  }
}

function fromEnvironment(environment: Environment): DaemonSettings {
  return {
    host: environment['DOCKER_HOST'] ?? '',
    tlsCertPath: environment['DOCKER_CERT_PATH'] ?? '',
    tlsVerify: ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(environment['DOCKER_TLS_VERIFY'] ?? ''),
  };
}

function defaultHost(platform: string): string {
  return platform === 'windows' || platform === 'win32'
    ? 'npipe:////./pipe/docker_engine'
    : 'unix:///var/run/docker.sock';
}

function tcpParts(url: string, rest: string, isSecure: boolean) {
  const parsed = URL.parse(`http://${rest}`);
  if (parsed === null || parsed.hostname === '') throw badHost(url);
  const explicit = /:(\d+)(\/|$)/.exec(rest)?.[1];
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: explicit === undefined ? (isSecure ? 2376 : 2375) : Number(explicit),
    isSecure,
  };
}

function sshCommand(url: string): readonly string[] {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.hostname === '' || parsed.password !== '' || parsed.hostname.startsWith('-')) {
    throw badHost(url);
  }
  const socket = parsed.pathname === '' || parsed.pathname === '/' ? [] : ['--host', `unix://${parsed.pathname}`];
  return [
    'ssh',
    '-T',
    '-o',
    'ConnectTimeout=30',
    '-o',
    'BatchMode=yes',
    ...(parsed.username === '' ? [] : ['-l', decodeURIComponent(parsed.username)]),
    ...(parsed.port === '' ? [] : ['-p', parsed.port]),
    '--',
    parsed.hostname.replace(/^\[|\]$/g, ''),
    'docker',
    ...socket,
    'system',
    'dial-stdio',
  ];
}

function badHost(url: string): ConfigError {
  return new ConfigError(`unable to parse docker host ${JSON.stringify(url)}`, {
    hint: 'Write unix:///path, tcp://host:port, ssh://user@host or npipe:////./pipe/name.',
  });
}
