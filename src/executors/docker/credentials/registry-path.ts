import { splitHost, splitTag } from '../images/image-reference.ts';

const HUB = 'docker.io';

/** The registry path that a key of credentials stands for (spec docker.md §8): a host, or a host with a path. */
export function credentialPath(key: string): string {
  const url = /^https?:\/\/(.*)$/i.exec(key)?.[1];
  if (url !== undefined) return hubName((url.split('/')[0] ?? '').toLowerCase());
  const path = key.replace(/\/+$/, '');
  // Without a slash the colon is that of a port.
  return lowerHost(path.includes('/') ? splitTag(path).repository : path);
}

/** Paths to look up for an image, the longest first: `host/group/name`, `host/group`, `host`. */
export function lookupPaths(imageName: string): readonly string[] {
  const name = imageName.split('@')[0] ?? '';
  const { repository } = splitTag(name);
  const { host } = splitHost(repository);
  const full = lowerHost(host === '' ? `${HUB}/${repository}` : repository);
  const parts = full.split('/');
  return parts.map((_part, index) => parts.slice(0, parts.length - index).join('/'));
}

function lowerHost(path: string): string {
  const slash = path.indexOf('/');
  if (slash < 0) return hubName(path.toLowerCase());
  return `${hubName(path.slice(0, slash).toLowerCase())}${path.slice(slash)}`;
}

function hubName(host: string): string {
  return host === 'index.docker.io' ? HUB : host;
}
