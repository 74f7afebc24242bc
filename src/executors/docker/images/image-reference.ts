import { JobConfigurationError } from '../../../lib/errors.ts';

/** An image's name taken apart, as the daemon understands it. */
export interface ImageReference {
  /** Host and port of the registry; `docker.io` where the name has none. */
  readonly registry: string;
  /** `library/ruby` */
  readonly path: string;
  /** What a pull asks for: `docker.io/library/ruby`. */
  readonly repository: string;
  /** Empty where the name has none. */
  readonly tag: string;
  /** `sha256:…`; empty where the name has none. */
  readonly digest: string;
}

const DEFAULT_REGISTRY = 'docker.io';
const pathPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d+)?$/;

/** Undefined where the text is no reference. */
export function parseImageReference(name: string): ImageReference | undefined {
  const [beforeDigest = '', digest = '', ...tooMany] = name.split('@');
  if (tooMany.length > 0 || (name.includes('@') && !digestPattern.test(digest))) return undefined;
  const { repository, tag } = splitTag(beforeDigest);
  if (beforeDigest !== repository && !tagPattern.test(tag)) return undefined;
  const { host, path } = splitHost(repository);
  if (host !== '' && !hostPattern.test(host)) return undefined;
  const registry = host === '' || host === 'index.docker.io' ? DEFAULT_REGISTRY : host;
  const fullPath = registry === DEFAULT_REGISTRY && !path.includes('/') ? `library/${path}` : path;
  if (!pathPattern.test(fullPath)) return undefined;
  return { registry, path: fullPath, repository: `${registry}/${fullPath}`, tag, digest };
}

/** @throws JobConfigurationError */
export function requireImageReference(name: string): ImageReference {
  const reference = parseImageReference(name);
  if (reference !== undefined) return reference;
  throw new JobConfigurationError(`invalid image name: ${JSON.stringify(name)}`, {
    hint: 'An image is written [registry[:port]/]path[:tag][@digest], with a path in small letters.',
  });
}

/** What a pull asks the registry for: the digest, else the tag, else `latest`. */
export function pullTag(reference: ImageReference): string {
  if (reference.digest !== '') return reference.digest;
  return reference.tag === '' ? 'latest' : reference.tag;
}

/** The tag follows the last colon, unless a slash comes after it (a port). */
export function splitTag(name: string): { readonly repository: string; readonly tag: string } {
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: '' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** The first part is a registry if it holds a dot or colon, or is `localhost`. */
export function splitHost(repository: string): { readonly host: string; readonly path: string } {
  const slash = repository.indexOf('/');
  const first = slash < 0 ? '' : repository.slice(0, slash);
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  return isHost ? { host: first, path: repository.slice(slash + 1) } : { host: '', path: repository };
}
