import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourcesManifest } from '../coordinator/submission.ts';
import { AbortReason } from '../lib/abort.ts';
import {
  type CoordinatorAddress,
  type CoordinatorClient,
  connectCoordinator,
} from '../pipeline/run/coordinator-client.ts';
import type { RepositorySnapshot } from '../pipeline/sources/snapshot.ts';
import { uploadSources } from '../pipeline/sources/upload-sources.ts';
import { makeTemporaryFolder, removeFolder } from '../platform/source-files.ts';
import type { CommandEnvironment } from './command-environment.ts';

/** Where a pipeline runs. */
export interface PipelineTarget extends AsyncDisposable {
  /** Folder for the snapshot; gone when the target is disposed of. */
  readonly sourcesFolder: string;
  /** Aborted when the target is given up. */
  readonly signal: AbortSignal;
  /** Makes it ready for `client`. */
  start(): Promise<void>;
  readonly client: CoordinatorClient;
  sendSources(pipelineId: number, sources: SnapshotSources, signal: AbortSignal): Promise<void>;
  /** Aborts the jobs that run in this process. */
  abortJobs(why: string): void;
  /** Gives up waiting for anything. */
  giveUp(why: string): void;
}

export interface SnapshotSources {
  readonly snapshot: RepositorySnapshot;
  readonly manifest: SourcesManifest;
}

/** A coordinator that somebody else runs, with runners of its own. */
export async function openRemoteTarget(
  address: CoordinatorAddress,
  environment: Pick<CommandEnvironment, 'env' | 'stderr'>,
): Promise<PipelineTarget> {
  const { env, stderr } = environment;
  const sourcesFolder = await makeTemporaryFolder(join(tmpdir(), 'millrace-sources-'));
  const client = connectCoordinator(address, env, (problem) => stderr(`${problem}\n`));
  const controller = new AbortController();
  return {
    sourcesFolder,
    signal: controller.signal,
    client,
    start: async () => {},
    sendSources: async (pipelineId, { snapshot, manifest }, signal) => {
      const upload: Parameters<typeof uploadSources>[2] = async (header, content, partSignal) =>
        await client.uploadPart(pipelineId, header, content, partSignal);
      await uploadSources(snapshot, manifest, upload, env, signal);
    },
    abortJobs: () => {},
    giveUp: (why) => controller.abort(new AbortReason('aborted', why)),
    [Symbol.asyncDispose]: async () => {
      client.close();
      await removeFolder(sourcesFolder);
    },
  };
}
