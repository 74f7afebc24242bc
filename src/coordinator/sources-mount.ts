import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a job token stands for; git traffic is checked against it. */
export interface JobTokenState {
  readonly jobId: number;
  /** null for a raw job without pipeline. */
  readonly pipelineId: number | null;
  readonly projectPath: string;
  /** The job is with a runner now. */
  readonly alive: boolean;
}

/** What the coordinator offers to the part that serves sources. */
export interface SourcesContext {
  /** A folder of its own, 0700, inside the coordinator's data folder. */
  readonly dataDir: string;
  jobTokenState(token: string): JobTokenState | undefined;
  /** The pipeline exists and its sources may be (or were) uploaded. */
  hasPipeline(pipelineId: number): boolean;
  /** Tells that a pipeline's sources are complete: its jobs may be handed out. Idempotent. */
  sourcesReady(pipelineId: number): void;
}

/** Serves git traffic and takes the upload of sources. Mounted into the coordinator's HTTP server. */
export interface SourcesMount {
  /**
   * Called for every path outside `/api/`, and, with the administrator's token already checked, for
   * `POST /api/millrace/v1/pipelines/:id/sources`.
   * @returns whether it answered.
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Clone URL of a job, with `gitlab-ci-token:<jobToken>@` in it. `baseUrl` has no `/` at the end. */
  repositoryUrl(job: {
    readonly baseUrl: string;
    readonly jobToken: string;
    readonly pipelineId: number;
    readonly projectPath: string;
  }): string;
  /** Called once a finished pipeline is removed. */
  removePipeline?(pipelineId: number): Promise<void>;
  close?(): Promise<void>;
}

export type SourcesFactory = (context: SourcesContext) => SourcesMount | Promise<SourcesMount>;

/** The clone URL GitLab would give; used where nothing serves sources. */
export function defaultRepositoryUrl(baseUrl: string, projectPath: string, jobToken: string): string {
  const url = new URL(`${baseUrl}/${projectPath}.git`);
  url.username = 'gitlab-ci-token';
  url.password = jobToken;
  return url.href;
}
