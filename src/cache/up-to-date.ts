import { inspectFile } from '../platform/staged-file.ts';
import { recordedRemote } from './cache-manifest.ts';

/** What a local archive is compared with. */
export interface RemoteVersion {
  readonly etag: string;
  readonly modifiedMs: number | undefined;
}

/** The entity tag of the local archive's bytes, where they are known to lie remotely; empty = none. */
export async function localEtag(archivePath: string): Promise<string> {
  return (await recordedRemote(archivePath))?.etag ?? '';
}

/**
 * Whether the local archive makes a download needless: it has the remote object's bytes, or, where nothing is known
 * of them, it is as new.
 */
export async function isLocalCurrent(archivePath: string, remote: RemoteVersion): Promise<boolean> {
  const local = inspectFile(archivePath);
  if (local === undefined) return false;
  const etag = await localEtag(archivePath);
  if (etag !== '' && remote.etag !== '') return etag === remote.etag;
  return remote.modifiedMs !== undefined && remote.modifiedMs <= local.modifiedMs;
}

/** Whether the remote object, which is there, lacks what the local archive holds. */
export async function isRemoteOutdated(archivePath: string, remoteEtag: string): Promise<boolean> {
  const recorded = await recordedRemote(archivePath);
  if (recorded === undefined) return true;
  return recorded.etag !== '' && remoteEtag !== '' && recorded.etag !== remoteEtag;
}
