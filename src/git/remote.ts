import { posix } from 'node:path';
import {
  formatRepositoryUrl,
  isHttp,
  parseRepositoryUrl,
  type RepositoryUrl,
  schemeAndHost,
  withoutCredentials,
} from './repository-url.ts';

/** What decides about the URLs a job fetches from (spec job-execution.md §18). */
export interface RemoteSources {
  /** `[[runners]].clone_url` */
  readonly cloneUrl: string;
  /** `[[runners]].url` */
  readonly runnerUrl: string;
  readonly repositoryUrl: string;
  readonly projectPath: string;
  readonly jobToken: string;
  readonly forceHttpsForSubmodules: boolean;
  readonly sshHost: string;
  readonly sshPort: string;
  /** false with FF_GIT_URLS_WITHOUT_TOKENS: no URL holds credentials. */
  readonly urlsWithToken: boolean;
}

export interface Remote {
  /** Written to `.git/config`: never with credentials. */
  readonly url: string;
  /** `scheme://host[:port]`; undefined for what is no URL with a host. */
  readonly host: string | undefined;
  readonly scheme: string;
  /** What git replaces, first match of each kept. */
  readonly rewrites: readonly UrlRewrite[];
}

/** `url.<to>.insteadOf = <from>` */
export interface UrlRewrite {
  readonly to: string;
  readonly from: string;
}

export function planRemote(sources: RemoteSources): Remote {
  const configured = parseRepositoryUrl(sources.cloneUrl);
  const remote = configured === undefined ? repositoryRemote(sources) : cloneUrlRemote(configured, sources);
  if (remote === undefined)
    return { url: sources.repositoryUrl, host: undefined, scheme: '', rewrites: serverRewrites(sources) };
  const url = formatRepositoryUrl(withoutCredentials(remote));
  const authenticated = formatRepositoryUrl(remote);
  return {
    url,
    host: remote.host === '' ? undefined : schemeAndHost(remote),
    scheme: remote.scheme,
    rewrites: unique([
      ...(authenticated === url ? [] : [{ to: authenticated, from: url }]),
      ...serverRewrites(sources),
    ]),
  };
}

function repositoryRemote(sources: RemoteSources): RepositoryUrl | undefined {
  const url = parseRepositoryUrl(sources.repositoryUrl);
  if (url === undefined) return undefined;
  return sources.urlsWithToken && url.scheme !== 'ssh' ? url : withAuthentication(url, sources);
}

function cloneUrlRemote(base: RepositoryUrl, sources: RemoteSources): RepositoryUrl {
  return withAuthentication({ ...base, path: posix.join('/', base.path, `${sources.projectPath}.git`) }, sources);
}

function withAuthentication(url: RepositoryUrl, sources: RemoteSources): RepositoryUrl {
  if (url.scheme === 'ssh') return url.userInfo === undefined ? { ...url, userInfo: 'git' } : url;
  if (!sources.urlsWithToken) return withoutCredentials(url);
  return { ...url, userInfo: `gitlab-ci-token:${encodeURIComponent(sources.jobToken)}` };
}

function serverRewrites(sources: RemoteSources): readonly UrlRewrite[] {
  const base = parseRepositoryUrl(sources.cloneUrl) ?? parseRepositoryUrl(sources.runnerUrl);
  if (base === undefined || !isHttp(base)) return [];
  const plain = withoutTrailingSlash(base);
  if (!sources.urlsWithToken) return sshRewrites(withoutTrailingSlash(withoutCredentials(base)), sources);
  const authenticated = withoutTrailingSlash(withAuthentication(base, sources));
  return [
    { to: authenticated, from: plain },
    ...sshRewrites(authenticated, sources),
    ...repositoryHostRewrite(sources),
  ];
}

function repositoryHostRewrite(sources: RemoteSources): readonly UrlRewrite[] {
  const url = parseRepositoryUrl(sources.repositoryUrl);
  if (url === undefined || !isHttp(url)) return [];
  const base: RepositoryUrl = { ...url, userInfo: undefined, path: '', query: '', fragment: '' };
  return [{ to: formatRepositoryUrl(withAuthentication(base, sources)), from: formatRepositoryUrl(base) }];
}

function sshRewrites(base: string, sources: RemoteSources): readonly UrlRewrite[] {
  if (!sources.forceHttpsForSubmodules) return [];
  const { sshHost, sshPort } = sources;
  if (sshPort !== '' && sshPort !== '22') return [{ to: base, from: `ssh://git@${sshHost}:${sshPort}` }];
  return [
    { to: `${base}/`, from: `git@${sshHost}:` },
    { to: base, from: `ssh://git@${sshHost}` },
  ];
}

function withoutTrailingSlash(url: RepositoryUrl): string {
  return formatRepositoryUrl(url).replace(/\/+$/, '');
}

function unique(rewrites: readonly UrlRewrite[]): readonly UrlRewrite[] {
  const seen = new Set<string>();
  return rewrites.filter(({ to, from }) => {
    const key = `${to}\n${from}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
