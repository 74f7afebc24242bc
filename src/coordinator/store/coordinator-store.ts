import { basename } from 'node:path';
import * as z from 'zod';
import { errorMessage, StorageError } from '../../lib/errors.ts';
import type { JsonValue } from '../../lib/json.ts';
import { listFolder, makePrivateFolder, removeTreeAsync } from '../../platform/private-folder.ts';
import { closeFolderToOthers, readStateFile, replaceStateFile } from '../../platform/state-file.ts';
import {
  type Counters,
  countersSchema,
  type JobRecord,
  jobRecordSchema,
  type PipelineRecord,
  pipelineRecordSchema,
  type RunnerRecord,
  runnerRecordSchema,
} from '../state/records.ts';
import { type PipelineSubmission, pipelineSubmissionSchema } from '../submission.ts';
import { type StoreFolders, storeFolders } from './folders.ts';
import { newSecret } from './secrets.ts';

export interface CoordinatorTokens {
  readonly adminToken: string;
  readonly registrationToken: string;
}

export interface StoredState {
  readonly counters: Counters;
  readonly runners: readonly RunnerRecord[];
  readonly pipelines: readonly { readonly record: PipelineRecord; readonly submission: PipelineSubmission }[];
  readonly jobs: readonly JobRecord[];
}

/**
 * The coordinator's records on disk: one small file each, replaced atomically and synchronously, so that a killed
 * process is found as it last answered. Traces and artifacts lie beside them (`folders`).
 */
export class CoordinatorStore {
  readonly folders: StoreFolders;
  readonly tokens: CoordinatorTokens;

  /** Opens or makes the data folder (0700) and its tokens. */
  constructor(dataDir: string) {
    this.folders = storeFolders(dataDir);
    makePrivateFolder(dataDir);
    closeFolderToOthers(dataDir);
    makePrivateFolder(this.folders.jobs);
    makePrivateFolder(this.folders.pipelines);
    this.tokens = this.#loadTokens();
  }

  saveJob(job: JobRecord): void {
    replaceStateFile(this.folders.jobRecord(job.id), JSON.stringify(job));
  }

  /** Makes the folder of a new job and saves it. */
  createJob(job: JobRecord): void {
    makePrivateFolder(this.folders.artifacts(job.id));
    this.saveJob(job);
  }

  savePayload(jobId: number, payload: JsonValue): void {
    makePrivateFolder(this.folders.artifacts(jobId));
    replaceStateFile(this.folders.payload(jobId), JSON.stringify(payload));
  }

  /** The payload of a raw job; undefined for a job of a pipeline. */
  loadPayload(jobId: number): Readonly<Record<string, JsonValue>> | undefined {
    const text = readStateFile(this.folders.payload(jobId));
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, JsonValue>);
  }

  saveSubmission(pipelineId: number, submission: PipelineSubmission): void {
    makePrivateFolder(this.folders.pipeline(pipelineId));
    replaceStateFile(this.folders.submission(pipelineId), JSON.stringify(submission));
  }

  savePipeline(pipeline: PipelineRecord): void {
    replaceStateFile(this.folders.pipelineRecord(pipeline.id), JSON.stringify(pipeline));
  }

  saveRunners(runners: readonly RunnerRecord[]): void {
    replaceStateFile(this.folders.runners, JSON.stringify(runners));
  }

  saveCounters(counters: Counters): void {
    replaceStateFile(this.folders.counters, JSON.stringify(counters));
  }

  async removeJob(id: number): Promise<void> {
    await removeTreeAsync(this.folders.job(id));
  }

  async removePipeline(id: number): Promise<void> {
    await removeTreeAsync(this.folders.pipeline(id));
  }

  /** Reads everything. What a killed process left half made (a pipeline without its last file, its jobs) is removed. */
  async load(): Promise<StoredState> {
    const pipelines = await this.#loadPipelines();
    const known = new Set(pipelines.map((pipeline) => pipeline.record.id));
    const jobs: JobRecord[] = [];
    for (const id of numbersIn(this.folders.jobs)) {
      const job = this.#read(this.folders.jobRecord(id), jobRecordSchema);
      if (job === undefined || (job.pipelineId !== null && !known.has(job.pipelineId))) await this.removeJob(id);
      else jobs.push(job);
    }
    const counters = this.#read(this.folders.counters, countersSchema);
    return {
      counters: counters ?? { lastJobId: 0, lastRunnerId: 0, lastPipelineId: 0, lastIid: {} },
      runners: this.#read(this.folders.runners, z.array(runnerRecordSchema)) ?? [],
      pipelines,
      jobs,
    };
  }

  async #loadPipelines(): Promise<StoredState['pipelines']> {
    const pipelines: { record: PipelineRecord; submission: PipelineSubmission }[] = [];
    for (const id of numbersIn(this.folders.pipelines)) {
      const record = this.#read(this.folders.pipelineRecord(id), pipelineRecordSchema);
      const submission = this.#read(this.folders.submission(id), pipelineSubmissionSchema);
      if (record === undefined || submission === undefined) await this.removePipeline(id);
      else pipelines.push({ record, submission });
    }
    return pipelines;
  }

  #loadTokens(): CoordinatorTokens {
    return {
      adminToken: loadSecret(this.folders.adminToken, 'admin'),
      registrationToken: loadSecret(this.folders.registrationToken, 'registration'),
    };
  }

  #read<T extends z.ZodType>(path: string, schema: T): z.output<T> | undefined {
    const text = readStateFile(path);
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      throw new StorageError(`${path} is damaged: ${errorMessage(error)}`, {
        cause: error,
        hint: `Stop the coordinator and remove ${basename(path)} or the whole data folder.`,
      });
    }
  }
}

/** The secret in a file of its own, made where there is none. */
function loadSecret(path: string, kind: 'admin' | 'registration'): string {
  const stored = readStateFile(path)?.trim() ?? '';
  if (stored !== '') return stored;
  const secret = newSecret(kind);
  replaceStateFile(path, `${secret}\n`);
  return secret;
}

function numbersIn(folder: string): readonly number[] {
  return listFolder(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((left, right) => left - right);
}
