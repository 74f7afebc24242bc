import type { JsonValue } from '../lib/json.ts';
import type { ChangedFiles, FileCommits, PipelineFiles } from './ports.ts';
import type { GitFacts } from './sources/git-facts.ts';

/** Values of `CI_PIPELINE_SOURCE`. */
export const pipelineSources = [
  'push',
  'api',
  'chat',
  'external',
  'external_pull_request_event',
  'merge_request_event',
  'ondemand_dast_scan',
  'ondemand_dast_validation',
  'parent_pipeline',
  'pipeline',
  'schedule',
  'security_orchestration_policy',
  'trigger',
  'web',
  'webide',
] as const;
export type PipelineSource = (typeof pipelineSources)[number];

/** A variable that does not come from the configuration file. */
export interface UserVariable {
  readonly key: string;
  readonly value: string;
  /** Who gave it; `pipeline` (`--variable`) is the strongest, `instance` the weakest (spec local-pipeline.md §3.2). */
  readonly level: 'pipeline' | 'project' | 'group' | 'instance';
  readonly file?: boolean;
  readonly masked?: boolean;
  readonly raw?: boolean;
  /** Environments it is for, `*` stands for anything; absent = all, and jobs without one. */
  readonly environmentScope?: string;
  /** Only for this job: a value given to a manual job. */
  readonly job?: string;
}

/** A merge request that the pipeline pretends to be for; its source is the branch of the git facts. */
export interface MergeRequestFacts {
  readonly iid: number;
  readonly targetBranch: string;
  readonly targetSha?: string;
  readonly diffBaseSha?: string;
  readonly title?: string;
  readonly description?: string;
  readonly labels?: readonly string[];
  readonly milestone?: string;
  readonly assignees?: readonly string[];
  readonly draft?: boolean;
  readonly approved?: boolean;
  readonly squashOnMerge?: boolean;
}

/** Everything a pipeline is compiled from. */
export interface CompileOptions {
  readonly files: PipelineFiles;
  /** Path of the configuration file relative to the top of the work tree. */
  readonly rootFile: string;
  readonly gitFacts: GitFacts;
  readonly signal: AbortSignal;
  /** Absent: every `changes` clause is true. */
  readonly changedFiles?: ChangedFiles;
  /** Absent: `cache:key:files_commits` uses the contents instead. */
  readonly fileCommits?: FileCommits;
  readonly userVariables?: readonly UserVariable[];
  /** Inputs of the root file by name. */
  readonly inputs?: Readonly<Record<string, JsonValue>>;
  /** Default `push`, or `merge_request_event` with a merge request. */
  readonly source?: PipelineSource;
  readonly mergeRequest?: MergeRequestFacts;
  /** When the pipeline was made, milliseconds since the epoch; `CI_PIPELINE_CREATED_AT`. */
  readonly createdAtMs?: number;
  readonly pipelineIid?: number;
  readonly scheduleDescription?: string;
  /** Content of the trigger request; sets `TRIGGER_PAYLOAD` as a file. */
  readonly triggerPayload?: string;
  /** Names of protected branches and tags, `*` stands for anything; default: the default branch. */
  readonly protectedRefs?: readonly string[];
  /** Default: a number made from the remote's address. */
  readonly projectId?: number;
  /** Server of the project where it is not the one of the remote, such as `https://gitlab.example.com`. */
  readonly serverUrl?: string;
  /** `group/name`, where it is not the one of the remote. */
  readonly projectPath?: string;
  /** Host of the container registry; `CI_REGISTRY` and `CI_REGISTRY_IMAGE` are unset without it. */
  readonly registry?: string;
  /** Job timeout where a job sets none; default 3600. */
  readonly defaultTimeoutSeconds?: number;
  /** `GIT_DEPTH` of the payload; 0 = full. */
  readonly gitDepth?: number;
  /** False: all `changes` clauses are true. */
  readonly evaluateChanges?: boolean;
  /** Append `-protected` or `-non_protected` to cache keys; default true, as GitLab. */
  readonly separateCaches?: boolean;
  /** What to do with a job that triggers another pipeline: a problem (default), or left out with a notice. */
  readonly triggers?: 'refuse' | 'skip';
  /** Run `release` instead of skipping it with a notice. */
  readonly allowRelease?: boolean;
  /** `GITLAB_CI=false`, as gitlab-ci-local sets it. */
  readonly compatGcl?: boolean;
}
