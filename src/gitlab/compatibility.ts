/**
 * What this runner says of itself to GitLab. GitLab gates behaviour and warnings on the version, so it names the
 * release of the Go runner whose protocol is spoken.
 */
export const compatibility = {
  name: 'gitlab-runner',
  version: '19.4.0',
  branch: '19-4-stable',
  revision: '6d696c6c',
} as const;

const GO_PLATFORM: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const GO_ARCHITECTURE: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** Names of operating system and architecture as GitLab knows them (spec protocol.md §3). */
export interface HostPlatform {
  readonly platform: string;
  readonly architecture: string;
}

/** @param operatingSystem `process.platform` @param architecture `process.arch` */
export function hostPlatform(operatingSystem: string, architecture: string): HostPlatform {
  return {
    platform: GO_PLATFORM[operatingSystem] ?? operatingSystem,
    architecture: GO_ARCHITECTURE[architecture] ?? architecture,
  };
}

/** The `User-Agent` of every request (spec protocol.md §1.3). */
export function userAgent(host: HostPlatform, language: string): string {
  const { name, version, branch } = compatibility;
  return `${name} ${version} (${branch}; ${language}; ${host.platform}/${host.architecture})`;
}
