import { advance, compileGlob, type Glob, isMatch } from '../../../archive/selection/glob.ts';

/**
 * Whether an image's name matches a glob of config.toml (spec docker.md §7.1): `*` and `?` stay between slashes, `**`
 * crosses them, `[…]` and `{a,b}`. The whole name counts, as it is written. A malformed glob matches nothing.
 */
export function matchesImagePattern(pattern: string, name: string): boolean {
  let glob: Glob;
  try {
    glob = compileGlob([], pattern);
  } catch {
    return false;
  }
  const state = name.split('/').reduce((current, part) => advance(glob, current, part), glob.start);
  return isMatch(glob, state);
}

/** An empty list allows everything. */
export function isAllowedBy(patterns: readonly string[], name: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesImagePattern(pattern, name));
}
