import type { ScriptOperation } from '../script/operations.ts';
import type { JobVariable } from '../variables/job-variable.ts';
import type { ShellName } from './executor-traits.ts';

/**
 * Everything that is decided about a build before anything runs: plain data, golden-testable, kept in the journal.
 * It holds the job's secrets; print it only through `plan/public-view.ts`.
 */
export interface BuildPlan {
  readonly formatVersion: 1;
  readonly job: PlannedJob;
  readonly runner: PlannedRunner;
  readonly names: BuildNames;
  readonly directories: BuildDirectories;
  readonly shell: ShellName;
  /** Expanded, in order of precedence: a later entry wins. */
  readonly variables: readonly JobVariable[];
  readonly masking: { readonly phrases: readonly string[]; readonly tokenPrefixes: readonly string[] };
  readonly trace: {
    readonly sections: boolean;
    readonly timestamps: boolean;
    readonly outputLimitBytes: number;
    /** CI_DEBUG_TRACE or CI_DEBUG_SERVICES is on: every trace update says so. */
    readonly debug: boolean;
  };
  readonly script: ScriptOptions;
  readonly timeouts: BuildTimeouts;
  readonly afterScriptIgnoresErrors: boolean;
  /** Every known flag with its resolved value, in table order. */
  readonly featureFlags: Readonly<Record<string, boolean>>;
  /** Lines `FF_A:true` of flags that differ from their default. */
  readonly changedFeatureFlags: readonly string[];
  /** Problems of settings, shown as one warning before the executor is prepared. */
  readonly settingsProblems: readonly string[];
  /** Info lines at the start of the user's steps (policy jobs). */
  readonly policyNotes: readonly string[];
  readonly stages: BuildStages;
  /** What decides about the volumes of containers; absent in journals of older versions. */
  readonly volumes?: PlannedVolumes;
  readonly image: PlannedImage | undefined;
  readonly services: readonly PlannedImage[];
  readonly registryCredentials: readonly {
    readonly url: string;
    readonly username: string;
    readonly password: string;
  }[];
  /** Reasons that this server accepts, see `gitlab/failure-reason.ts`. */
  readonly supportedFailureReasons: readonly string[];
}

export interface PlannedVolumes {
  /** The build folder is used again by the next job of the project (GIT_STRATEGY=fetch). */
  readonly keepsBuilds: boolean;
  /** Volumes are those of protected refs, by the ref or by a cache key that says so. */
  readonly areProtected: boolean;
}

export interface PlannedJob {
  readonly id: number;
  readonly token: string;
  readonly name: string;
  readonly stage: string;
  readonly projectId: number;
  readonly projectName: string;
  readonly pipelineId: number;
  readonly sha: string;
  readonly ref: string;
  /** Repository URL without credentials, query and fragment. */
  readonly repositoryUrl: string;
  /** Whether the ref is protected; decides about protected volumes and caches. */
  readonly isProtected: boolean;
  readonly correlationId: string;
}

export interface PlannedRunner {
  readonly name: string;
  readonly url: string;
  readonly shortToken: string;
  readonly systemId: string;
  readonly executor: string;
}

export interface BuildNames {
  readonly concurrentId: number;
  readonly concurrentProjectId: number;
  /** `runner-<short token>-project-<id>-concurrent-<n>` */
  readonly unique: string;
  /** `runner-<short token>-<project>-<n>-<job>` */
  readonly uniqueShort: string;
  /** Name of the build's volumes. */
  readonly volume: string;
}

export interface BuildDirectories {
  readonly root: string;
  readonly project: string;
  /** `<project>.tmp`, where file variables and GITLAB_ENV live. */
  readonly temporary: string;
  readonly cache: string;
}

/** How script text is generated (spec shells.md §6). */
export interface ScriptOptions {
  readonly loginShell: boolean;
  readonly posixEscapes: boolean;
  readonly legacyBashEval: boolean;
  readonly exitCodeCheck: boolean;
  /** CI_DEBUG_TRACE: the shell prints each command it runs. */
  readonly debugTrace: boolean;
  readonly powershellPathResolver: boolean;
  readonly powershellFromFile: boolean;
  /**
   * Random text that marks command boundaries on both output streams, so that they can be put in order;
   * stripped before masking. Empty = no marks.
   */
  readonly outputMark: string;
}

export interface BuildTimeouts {
  readonly jobMs: number;
  readonly prepareMs: number | undefined;
  readonly getSourcesMs: number | undefined;
  readonly scriptMs: number | undefined;
  readonly afterScriptMs: number;
  /** Warnings about malformed or too long script timeouts, shown when the script phase starts. */
  readonly warnings: readonly string[];
}

/** Build stages in the order of spec job-execution.md §4; an absent one has nothing to do. */
export interface BuildStages {
  readonly prepareScript: StagePlan;
  readonly getSources: StagePlan;
  readonly clearWorktree: StagePlan;
  readonly restoreCache: StagePlan | undefined;
  readonly downloadArtifacts: StagePlan | undefined;
  readonly steps: readonly StagePlan[];
  readonly afterScript: StagePlan | undefined;
  readonly archiveCacheOnSuccess: StagePlan | undefined;
  readonly archiveCacheOnFailure: StagePlan | undefined;
  readonly uploadArtifactsOnSuccess: StagePlan | undefined;
  readonly uploadArtifactsOnFailure: StagePlan | undefined;
  readonly cleanup: StagePlan;
}

export interface StagePlan {
  /** Stage id and section name: `prepare_script`, `step_script`, `after_script`, … */
  readonly stage: string;
  readonly title: string;
  /** The user's container, or the helper's. */
  readonly where: 'build' | 'helper';
  /** What of the job's variables the stage's script exports first (spec shells.md §3.4). */
  readonly exports: 'none' | 'all' | 'withoutFileContents';
  readonly operations: readonly ScriptOperation[];
  /** How often the stage is tried, 1 to 10. */
  readonly attempts: number;
  /** Why the stage cannot be generated: it fails as a system failure when its turn comes. */
  readonly generationError: string | undefined;
}

export interface PlannedImage {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly ports: readonly { readonly number: number; readonly protocol: string; readonly name: string }[];
  readonly variables: readonly JobVariable[];
  readonly pullPolicies: readonly string[];
  readonly docker: { readonly platform: string; readonly user: string };
  readonly kubernetes: { readonly user: string };
}
