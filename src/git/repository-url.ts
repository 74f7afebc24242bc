/** A URL cut into parts without changing a character of them. */
export interface RepositoryUrl {
  readonly scheme: string;
  /** `user:password` as written; undefined = none. */
  readonly userInfo: string | undefined;
  /** Host with its port. */
  readonly host: string;
  readonly path: string;
  /** With its `?`. */
  readonly query: string;
  /** With its `#`. */
  readonly fragment: string;
}

const URL_PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#@]*)([^?#]*)(\?[^#]*)?(#.*)?$/s;

/** Cuts a URL with `scheme://` into parts; undefined for anything else (`git@host:path`, local paths). */
export function parseRepositoryUrl(text: string): RepositoryUrl | undefined {
  const match = URL_PARTS.exec(text);
  if (match === null) return undefined;
  const [, scheme = '', userInfo, host = '', path = '', query = '', fragment = ''] = match;
  return { scheme: scheme.toLowerCase(), userInfo, host, path, query, fragment };
}

export function formatRepositoryUrl(url: RepositoryUrl): string {
  const userInfo = url.userInfo === undefined ? '' : `${url.userInfo}@`;
  return `${url.scheme}://${userInfo}${url.host}${url.path}${url.query}${url.fragment}`;
}

export function withoutCredentials(url: RepositoryUrl): RepositoryUrl {
  return { ...url, userInfo: undefined };
}

export function isHttp(url: RepositoryUrl): boolean {
  return url.scheme === 'http' || url.scheme === 'https';
}

/** `scheme://host[:port]` */
export function schemeAndHost(url: RepositoryUrl): string {
  return `${url.scheme}://${url.host}`;
}

/** A repository URL without user name, password, query and fragment; text that is no URL stays as it is. */
export function cleanRepositoryUrl(text: string): string {
  const url = parseRepositoryUrl(text);
  if (url === undefined) return text;
  return formatRepositoryUrl({ ...url, userInfo: undefined, query: '', fragment: '' });
}
