/** Whether a path of the job's environment starts at a root: `/x`, `C:/x`, `\\server\share`. */
export function isAbsolutePath(path: string): boolean {
  return /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** Turns `\` into `/`: both mean a separator where it matters. */
export function withForwardSlashes(path: string): string {
  return path.replaceAll('\\', '/');
}
