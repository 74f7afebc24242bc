import { z } from 'zod';

/** A repository that a pipeline's jobs may fetch from. */
const servedRepository = z.object({
  /** Path below the server, without `.git`. */
  path: z.string().min(1),
  /** Bare repository, absolute. */
  directory: z.string(),
  /** Folders with LFS objects (`aa/bb/<oid>` below their `objects`), first match wins. */
  lfs_stores: z.array(z.string()),
});

/** What a pipeline's jobs may fetch: kept beside the sources, and sent by a client on the same machine. */
export const sourcesManifestSchema = z.object({ repositories: z.array(servedRepository).min(1) });

export type SourcesManifest = z.output<typeof sourcesManifestSchema>;
export type ServedRepository = z.output<typeof servedRepository>;

/**
 * The path at which a submodule with a URL of another server is served, for the redirect in the job's git settings.
 * It lies below the project's own, so no other project is shadowed.
 */
export function redirectedPath(projectPath: string, number: number): string {
  return `${projectPath}.git/-/submodules/${number}`;
}
