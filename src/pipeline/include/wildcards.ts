/** Whether an include location is a pattern. */
export function hasWildcard(location: string): boolean {
  return location.includes('*');
}

/** The files an include pattern names, in order: `*` stops at `/`, `**` does not (spec local-pipeline.md §5.1). */
export function filesMatching(pattern: string, files: readonly string[]): readonly string[] {
  const source = pattern
    .replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&')
    .replaceAll('**', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '.*');
  const expression = new RegExp(`^${source}$`, 's');
  return files.filter((file) => expression.test(file));
}
