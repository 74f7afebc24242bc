import { basename, join } from 'node:path';
import { defaultExtractionLimits } from '../archive/extract/limits.ts';
import { unpackArchive } from '../archive/unpack.ts';
import type { CoordinatorClient, PipelineView } from '../pipeline/run/coordinator-client.ts';
import { makeFolder, removeFile, writeStream } from '../platform/source-files.ts';

/** Name of a job's folder: what no file system takes is replaced. */
export function artifactFolderName(jobName: string): string {
  const name = jobName.replace(/[/\\:*?"<>|\u0000-\u001f]/g, '_').trim();
  return /^\.*$/.test(name) ? `_${name}` : name;
}

/**
 * Brings the artifacts of a pipeline's jobs (the last attempts) into a folder: archives unpacked, reports as they were
 * uploaded, one folder a job.
 * @returns names of the jobs that had any.
 */
export async function collectArtifacts(
  client: CoordinatorClient,
  pipeline: PipelineView,
  folder: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const jobs = pipeline.jobs.filter((job) => !job.is_retried && job.artifacts.length > 0);
  for (const job of jobs) {
    const place = join(folder, artifactFolderName(job.name));
    await makeFolder(place);
    for (const artifact of job.artifacts) {
      // Made by the runner about the job, not by the job.
      if (artifact.type === 'trace' || artifact.type === 'metadata') continue;
      const file = join(place, basename(artifact.filename));
      const content = await client.artifact(job.id, artifact.type, signal);
      await writeStream(file, content, signal);
      if (artifact.type !== 'archive') continue;
      await unpackArchive({ path: file, target: place, limits: defaultExtractionLimits, concurrency: 2 }, signal);
      await removeFile(file);
    }
  }
  return jobs.map((job) => job.name);
}
