import { join } from 'node:path';
import { makeFolder, readIfPresent, removeFolder, writeText } from '../../platform/source-files.ts';
import { type ServedRepository, type SourcesManifest, sourcesManifestSchema } from '../submission.ts';

/** What each pipeline's jobs may fetch, on disk and in memory. */
export interface SourcesStore {
  /** Folder for what is uploaded for a pipeline; made on demand. */
  folderOf(pipelineId: number): Promise<string>;
  /** All repositories, the project's own first. */
  all(pipelineId: number): Promise<readonly ServedRepository[]>;
  find(pipelineId: number, path: string): Promise<ServedRepository | undefined>;
  /** Replaces what is known of a pipeline. */
  save(pipelineId: number, manifest: SourcesManifest): Promise<void>;
  /** Adds a repository, or replaces the one at its path. */
  add(pipelineId: number, repository: ServedRepository): Promise<void>;
  remove(pipelineId: number): Promise<void>;
}

export function openSourcesStore(dataDir: string): SourcesStore {
  const manifests = new Map<number, SourcesManifest>();
  const place = (pipelineId: number): string => join(dataDir, String(pipelineId));

  const load = async (pipelineId: number): Promise<SourcesManifest | undefined> => {
    const known = manifests.get(pipelineId);
    if (known !== undefined) return known;
    const content = await readIfPresent(join(place(pipelineId), 'sources.json'));
    if (content === undefined) return undefined;
    const manifest = sourcesManifestSchema.parse(JSON.parse(content.toString('utf8')));
    manifests.set(pipelineId, manifest);
    return manifest;
  };

  const save = async (pipelineId: number, manifest: SourcesManifest): Promise<void> => {
    manifests.set(pipelineId, manifest);
    await makeFolder(place(pipelineId));
    await writeText(join(place(pipelineId), 'sources.json'), JSON.stringify(manifest));
  };

  return {
    folderOf: async (pipelineId) => {
      await makeFolder(place(pipelineId));
      return place(pipelineId);
    },
    all: async (pipelineId) => (await load(pipelineId))?.repositories ?? [],
    find: async (pipelineId, path) => {
      const manifest = await load(pipelineId);
      return manifest?.repositories.find((repository) => repository.path === path);
    },
    save,
    add: async (pipelineId, repository) => {
      const others = (await load(pipelineId))?.repositories.filter(({ path }) => path !== repository.path) ?? [];
      await save(pipelineId, { repositories: [...others, repository] });
    },
    remove: async (pipelineId) => {
      manifests.delete(pipelineId);
      await removeFolder(place(pipelineId));
    },
  };
}
