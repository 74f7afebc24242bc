/** What the name of the default helper image depends on. */
export interface HelperImageFacts {
  /** `Architecture` of the daemon. */
  readonly architecture: string;
  /** `helper_image_flavor`, expanded. */
  readonly flavor: string;
  /** Of this program: the helper and the manager are made for each other. */
  readonly version: string;
}

const REPOSITORY = 'millrace-helper';
const plainFlavors = ['', 'alpine', 'debian'];

/** `millrace-helper:[<flavor>-]<architecture>-v<version>` (spec docker.md §6, with our own name). */
export function defaultHelperImage(facts: HelperImageFacts): { readonly repository: string; readonly tag: string } {
  const prefix = plainFlavors.includes(facts.flavor) ? '' : `${facts.flavor}-`;
  const tag = `${prefix}${imageArchitecture(facts.architecture)}-v${facts.version}`;
  return { repository: REPOSITORY, tag: tag.replaceAll(/[^\w.-]/g, '-').slice(0, 128) };
}

/** As the names of helper images spell it. */
export function imageArchitecture(architecture: string): string {
  const names: Readonly<Record<string, string>> = {
    armv6l: 'arm',
    armv7l: 'arm',
    aarch64: 'arm64',
    amd64: 'x86_64',
    x64: 'x86_64',
  };
  return names[architecture] ?? architecture;
}

/** File names of an image that came with an installation. */
export function prebuiltNames(tag: string): readonly string[] {
  return [`millrace-helper-${tag}.docker.tar.zst`, `millrace-helper-${tag}.docker.tar`];
}
