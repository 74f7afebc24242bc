import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GitHttpServer, startGitHttpServer } from '../support/git-http-server.ts';
import {
  type JobView,
  RunnerBench,
  type RunnerProcess,
  type RunnerProgram,
  scriptJob,
} from '../support/runner-bench.ts';
import { artifactListing } from './artifact-listing.ts';
import { normalise, normaliseRun, type RunFacts, type Side } from './normalise.ts';
import { projectFiles } from './project-files.ts';
import { makeRepositories, type Repositories, writeGitSettings } from './repositories.ts';
import { type RunnerKind, runnerKinds } from './runner-kinds.ts';
import type { Scenario, ScenarioJob } from './scenario.ts';
import { plainLines, traceBlocks } from './trace-blocks.ts';

const kinds = Object.keys(runnerKinds) as readonly RunnerKind[];

export interface ArenaOptions {
  readonly programs: readonly RunnerProgram[];
  readonly hasLfs: boolean;
  /** Jobs that each runner takes at a time. */
  readonly concurrent: number;
}

/** The runners, the coordinator they take jobs from and the repositories of the jobs. */
export class Arena {
  readonly #bench: RunnerBench;
  readonly #repositories: Repositories;
  readonly #git: GitHttpServer;
  #projects = 100;

  private constructor(bench: RunnerBench, repositories: Repositories, git: GitHttpServer) {
    this.#bench = bench;
    this.#repositories = repositories;
    this.#git = git;
  }

  static async start(options: ArenaOptions): Promise<Arena> {
    const bench = await RunnerBench.start({ longPollSeconds: 0 });
    try {
      const repositories = makeRepositories(bench.folder, options.hasLfs);
      const git = await startGitHttpServer(repositories.folder, repositories.home);
      for (const program of options.programs) startRunner(bench, program, options.concurrent);
      return new Arena(bench, repositories, git);
    } catch (error) {
      await bench.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#bench.close();
    await this.#git[Symbol.asyncDispose]();
  }

  /** Runs the scenario on both runners at the same time. @returns everything worth comparing, as text. */
  async compare(scenario: Scenario): Promise<{ readonly ours: string; readonly theirs: string }> {
    const [ours, theirs] = await Promise.all(
      (['millrace', 'peer'] as const).map(async (side) => {
        const { transcript, facts } = await this.#run(scenario, side);
        return normalise(transcript, side, facts, scenario);
      }),
    );
    return { ours: ours ?? '', theirs: theirs ?? '' };
  }

  /** Runs the scenario on our runner alone. @returns the same, with all that is ours. */
  async record(scenario: Scenario): Promise<string> {
    const { transcript, facts } = await this.#run(scenario, 'millrace');
    return normaliseRun(transcript, 'millrace', facts, scenario);
  }

  async #run(scenario: Scenario, side: Side): Promise<{ readonly transcript: string; readonly facts: RunFacts }> {
    const projectId = ++this.#projects;
    const path = scenario.name.replaceAll(/[^A-Za-z0-9]+/g, '-').toLowerCase();
    const lines: string[] = [];
    const ids: number[] = [];
    const submit = async (job: ScenarioJob): Promise<number> => {
      const payload = this.#payload(job, { path, projectId, ids });
      const id = await this.#submit(payload, `${side}-${scenario.runner ?? 'plain'}`);
      ids.push(id);
      return id;
    };
    if (scenario.together === true) for (const job of scenario.jobs) await submit(job);
    for (const [index, job] of scenario.jobs.entries()) {
      const id = ids[index] ?? (await submit(job));
      if (job.stop !== undefined) await this.#stop(id, job.stop);
      lines.push(`job ${index + 1}: ${JSON.stringify(outcome(await this.#bench.finished(id, 120_000)))}`);
      const trace = (await this.#bench.trace(id)).toString();
      for (const line of job.withoutTimestamps === true ? plainLines(trace) : traceBlocks(trace)) lines.push(line);
      lines.push(...(await this.#artifacts(id)));
    }
    const folder = join(this.#bench.folder, side);
    const places = [`builds/{*/*/,}{${path},project-${projectId}*}`, `cache/{${path},project-${projectId}*}`];
    lines.push(...projectFiles(folder, places, this.#repositories.home));
    const facts = {
      benchFolder: this.#bench.folder,
      folder,
      gitUrl: this.#git.url,
      coordinatorUrl: this.#bench.coordinator.url,
      projectId,
      jobIds: ids,
      jobTokens: ids.map((id) => this.#tokenOf(id)),
    };
    return { transcript: lines.join('\n'), facts };
  }

  #payload(job: ScenarioJob, place: { readonly path: string; readonly projectId: number; readonly ids: number[] }) {
    const { sources, byFile, artifactsOf } = job;
    const { folder } = this.#repositories;
    const address = this.#git.url.replace('//', `//gitlab-ci-token:${gitToken}@`);
    const variables = {
      ...(job.withoutTimestamps === true ? { FF_TIMESTAMPS: 'false' } : { FF_TIMESTAMPS: 'true' }),
      FF_USE_NEW_BASH_EVAL_STRATEGY: 'true',
      ...(sources === undefined ? {} : { GIT_STRATEGY: 'fetch' }),
      ...job.variables,
    };
    const ref = job.ref ?? 'main';
    const payload = scriptJob({ ...job, name: job.name ?? 'test job', variables });
    const dependency = artifactsOf === undefined ? undefined : place.ids[artifactsOf];
    return {
      ...payload,
      job_info: { name: job.name ?? 'test job', stage: 'test', project_id: place.projectId, project_name: 'project' },
      git_info: {
        ...(payload['git_info'] as object),
        repo_url:
          byFile === true
            ? `file://${join(folder, `${sources}.git`)}`
            : `${address}/${place.path}/${sources ?? 'project'}.git`,
        ...(sources === undefined ? {} : { ref, sha: this.#repositories.commitOf(sources, ref) }),
        ...(job.refspecs === undefined
          ? { refspecs: ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'] }
          : { refspecs: job.refspecs }),
        depth: job.depth ?? 0,
        ...(job.payload?.['git_info'] as object | undefined),
      },
      ...(dependency === undefined
        ? {}
        : {
            dependencies: [
              {
                id: dependency,
                name: 'earlier job',
                token: this.#tokenOf(dependency),
                artifacts_file: { filename: 'artifacts.zip', size: 100 },
              },
            ],
          }),
    };
  }

  async #submit(payload: unknown, tag: string): Promise<number> {
    return ((await this.#bench.api('POST', `jobs?tags=${tag}`, payload)) as JobView).id;
  }

  async #stop(id: number, stop: NonNullable<ScenarioJob['stop']>): Promise<void> {
    await this.#bench.traceShows(id, stop.after, 60_000);
    await this.#bench.api('POST', `jobs/${id}/${stop.how}`);
  }

  async #artifacts(id: number): Promise<readonly string[]> {
    const { artifacts } = await this.#bench.job(id);
    const listings = artifacts.map(async ({ type, filename }) => {
      const answer = await fetch(`${this.#bench.coordinator.url}/api/millrace/v1/jobs/${id}/artifacts/${type}`, {
        headers: { 'PRIVATE-TOKEN': this.#bench.coordinator.adminToken },
      });
      const listing = artifactListing(filename, Buffer.from(await answer.arrayBuffer()));
      return [`artifact ${type} ${filename}`, ...listing.map((line) => `  ${line}`)];
    });
    return (await Promise.all(listings)).flat();
  }

  /** What the runner got as the job's token. */
  #tokenOf(id: number): string {
    const record = readFileSync(join(this.#bench.folder, 'coordinator', 'jobs', String(id), 'job.json'), 'utf8');
    return (JSON.parse(record) as { readonly token: string }).token;
  }
}

/** Stands for a job token in the addresses of repositories. */
const gitToken = 'token-of-the-repository';

function outcome({ status, failure_reason, exit_code, trace_report }: JobView) {
  return { status, failure_reason, exit_code, isTraceComplete: trace_report?.is_equal ?? null };
}

/** One manager with an entry for every kind of runner; the job's tag chooses. */
function startRunner(bench: RunnerBench, program: RunnerProgram, concurrent: number): RunnerProcess {
  const folder = join(bench.folder, program.kind);
  mkdirSync(folder, { recursive: true });
  writeGitSettings(folder);
  const entries = kinds.map((kind) => {
    const name = `${program.kind}-${kind}`;
    const { token } = bench.coordinator.createRunner({ description: name, tags: [name], runUntagged: false });
    return [
      '[[runners]]',
      `  name = "${kind} runner"`,
      `  url = ${JSON.stringify(bench.coordinator.url)}`,
      `  token = ${JSON.stringify(token)}`,
      '  executor = "shell"',
      `  builds_dir = ${JSON.stringify(join(folder, 'builds'))}`,
      `  cache_dir = ${JSON.stringify(join(folder, 'cache'))}`,
      `  request_concurrency = ${concurrent}`,
      ...runnerKinds[kind].map((line) => `  ${line}`),
    ];
  });
  const lines = [`concurrent = ${concurrent}`, 'check_interval = 1', 'shutdown_timeout = 30', ...entries.flat(), ''];
  writeFileSync(join(folder, 'config.toml'), lines.join('\n'));
  return bench.startRunner(program, { name: program.kind });
}
