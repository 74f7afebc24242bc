import type { RemoteAddress } from './git-facts.ts';

/** Reads a remote's URL, in the form of a URL or of scp; undefined for a path on this machine. */
export function parseRemoteUrl(url: string): RemoteAddress | undefined {
  const scp = /^(?:[^@/\s]+@)?([^:/\s]{2,}|\[[^\]]+\]):(?!\/\/)(.+)$/.exec(url);
  if (scp?.[1] !== undefined && scp[2] !== undefined) return address('ssh', scp[1], undefined, scp[2]);
  const match = /^(https?|ssh|git(?:\+ssh)?):\/\/(?:[^@/]*@)?([^:/[\]]+|\[[^\]]+\])(?::(\d+))?\/(.+)$/i.exec(url);
  if (match === null) return undefined;
  const [, protocol = '', host = '', port, path = ''] = match;
  return address(schemeOf(protocol.toLowerCase()), host, port === undefined ? undefined : Number(port), path);
}

function address(scheme: RemoteAddress['scheme'], host: string, port: number | undefined, path: string): RemoteAddress {
  const projectPath = path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
  return { scheme, host: host.toLowerCase(), port, projectPath };
}

function schemeOf(protocol: string): RemoteAddress['scheme'] {
  switch (protocol) {
    case 'https':
    case 'http':
    case 'git':
      return protocol;
    default:
      return 'ssh';
  }
}
