import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { PipelineSubmission } from '../coordinator/submission.ts';
import { CommandError, errorMessage } from '../lib/errors.ts';
import type { CoordinatorClient } from '../pipeline/run/coordinator-client.ts';
import { makeFolder, readIfPresent } from '../platform/source-files.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { openCheckout, type PipelineOptions } from './pipeline-checkout.ts';
import { reportPipelineFailure } from './pipeline-failure.ts';
import type { FittedSubmission } from './pipeline-limits.ts';
import type { PreparedRun } from './pipeline-prepare.ts';
import { listenForStop, type StopRequests } from './pipeline-stop.ts';
import type { PipelineTarget } from './pipeline-target.ts';

/** Options of `millrace pipeline run`; absent = not given. */
export interface PipelineRunOptions extends PipelineOptions {
  /** Only these jobs (names, or names of groups of parallel jobs). */
  readonly jobs?: readonly string[];
  /** Also what these jobs need. */
  readonly needs?: boolean;
  /** Manual jobs to play at once. */
  readonly manual?: readonly string[];
  /** Run on this coordinator instead of in this process. */
  readonly coordinator?: string;
  /** File with the coordinator's administrator token; default: `MILLRACE_ADMIN_TOKEN`. */
  readonly adminTokenFile?: string;
  /** PEM file of the authority of the coordinator's certificate. */
  readonly tlsCaFile?: string;
  /** Jobs at the same time; default: the number of cores, at least 4. */
  readonly concurrency?: number;
  /** Bring artifacts here. */
  readonly artifactsDir?: string;
  /** Default: `$XDG_STATE_HOME/millrace/<project>`. */
  readonly stateDir?: string;
  /** Pipelines whose logs and artifacts are kept; default 10. */
  readonly keep?: number;
  /** Log of coordinator and runner to standard error. */
  readonly debug?: boolean;
}

/**
 * `millrace pipeline run`: runs the pipeline of the checkout that the working directory lies in.
 * @returns 0 success, 1 failed, 2 configuration, 3 waits for a manual job, 129/130/131/143 stopped by a signal.
 */
export async function runPipelineRun(options: PipelineRunOptions, environment: CommandEnvironment): Promise<number> {
  const stop = listenForStop(environment);
  try {
    const code = await compileAndRun(options, environment, stop);
    return stop.exitCode() ?? code;
  } catch (error) {
    const stopped = stop.exitCode();
    if (stopped !== undefined) return stopped;
    return reportPipelineFailure(error, environment, options.json === true);
  } finally {
    stop.dispose();
  }
}

async function compileAndRun(
  options: PipelineRunOptions,
  environment: CommandEnvironment,
  stop: StopRequests,
): Promise<number> {
  // Modules are loaded while git and the disk work: that is most of the time before the first job.
  const [checkout, prepareRun] = await Promise.all([
    openCheckout(options, environment, stop.signal),
    loadModules(options),
    makeArtifactsFolder(options, environment),
  ]);
  await using target = await openTarget(options, environment, checkout.facts.workTree, stop);
  const preparing = prepareRun(checkout, target.sourcesFolder, options, environment, stop.signal);
  const starting = target.start();
  // Told where it is waited for; disposing waits for it too.
  starting.catch(() => {});
  const prepared = await preparing;
  if (prepared === undefined) return 0;
  await starting;
  return await followRun(options, environment, stop, target, prepared);
}

async function loadModules({ coordinator }: PipelineRunOptions) {
  const { preferQuickSchemas } = await import('./quick-schemas.ts');
  preferQuickSchemas();
  const [{ prepareRun }] = await Promise.all([
    import('./pipeline-prepare.ts'),
    coordinator === undefined ? import('./pipeline-target-local.ts') : import('./pipeline-target.ts'),
  ]);
  return prepareRun;
}

async function followRun(
  options: PipelineRunOptions,
  environment: CommandEnvironment,
  stop: StopRequests,
  target: PipelineTarget,
  prepared: PreparedRun,
): Promise<number> {
  const { client } = target;
  const submission = await fitToTarget(options, environment, client, prepared.submission, target.signal);
  const [{ runPipeline }, { exitCodeOf }, reporter] = await Promise.all([
    import('../pipeline/run/run-pipeline.ts'),
    import('../pipeline/run/follow.ts'),
    openReporter(options, environment, submission),
  ]);
  const outcome = await runPipeline(
    {
      client,
      submission,
      reporter,
      sendSources: async (id) => await prepared.sendSources(target, id, target.signal),
      onCreated: ({ id }) => stop.setActions(stopActions(target, environment, id)),
      onLost: (message) => environment.stderr(`${message}; trying again.\n`),
      clock: systemClock(),
    },
    target.signal,
  );
  await collect(options, environment, target, outcome.id);
  return exitCodeOf(outcome.status);
}

/** What the place where jobs run does not do is said before they start. */
async function fitToTarget(
  options: PipelineRunOptions,
  { stderr }: CommandEnvironment,
  client: CoordinatorClient,
  submission: PipelineSubmission,
  signal: AbortSignal,
): Promise<PipelineSubmission> {
  const { fitToThisMachine, noticesOfUnserved } = await import('./pipeline-limits.ts');
  const fitted: FittedSubmission =
    options.coordinator === undefined
      ? fitToThisMachine(submission)
      : { submission, notices: noticesOfUnserved(submission, await client.runners(signal)) };
  for (const notice of fitted.notices) stderr(`${notice}\n`);
  return fitted.submission;
}

async function openTarget(
  options: PipelineRunOptions,
  environment: CommandEnvironment,
  workTree: string,
  stop: StopRequests,
): Promise<PipelineTarget> {
  const { coordinator } = options;
  if (coordinator !== undefined) {
    const { openRemoteTarget } = await import('./pipeline-target.ts');
    const adminToken = await readAdminToken(options, environment);
    if (options.tlsCaFile !== undefined) await readGivenFile('--tls-ca-file', options.tlsCaFile, environment);
    return await openRemoteTarget({ url: coordinator, adminToken, caFile: options.tlsCaFile ?? '' }, environment);
  }
  const { openLocalTarget } = await import('./pipeline-target-local.ts');
  const concurrency = options.concurrency ?? Math.max(4, availableParallelism());
  if (concurrency < 1) throw new CommandError('--concurrency must be at least 1', { exitCode: 2 });
  return await openLocalTarget({ ...options, workTree, concurrency }, environment, stop.signal);
}

async function readAdminToken(options: PipelineRunOptions, environment: CommandEnvironment): Promise<string> {
  const { adminTokenFile: file } = options;
  const token =
    file === undefined
      ? environment.env['MILLRACE_ADMIN_TOKEN']
      : await readGivenFile('--admin-token-file', file, environment);
  if (token !== undefined && token.trim() !== '') return token.trim();
  const what = file === undefined ? 'is missing' : `is missing: ${file} is empty`;
  throw new CommandError(`the administrator token of the coordinator ${what}`, {
    exitCode: 2,
    hint: 'The coordinator prints it when it starts. Give it in a file with --admin-token-file, or in MILLRACE_ADMIN_TOKEN.',
  });
}

async function readGivenFile(option: string, file: string, environment: CommandEnvironment): Promise<string> {
  const path = resolve(environment.workingDirectory, file);
  const content = await readIfPresent(path).catch((error: unknown) => {
    throw new CommandError(`${option} ${file} cannot be read: ${errorMessage(error)}`, { exitCode: 2, cause: error });
  });
  if (content !== undefined) return content.toString('utf8');
  throw new CommandError(`${option} ${file}: there is no such file`, { exitCode: 2 });
}

/** Before anything runs, so that nobody waits for a pipeline whose artifacts have no place. */
async function makeArtifactsFolder(options: PipelineRunOptions, environment: CommandEnvironment): Promise<void> {
  if (options.artifactsDir === undefined) return;
  await makeFolder(resolve(environment.workingDirectory, options.artifactsDir)).catch((error: unknown) => {
    throw new CommandError(`--artifacts-dir ${options.artifactsDir} cannot be used: ${errorMessage(error)}`, {
      exitCode: 2,
      cause: error,
    });
  });
}

async function openReporter(
  options: PipelineRunOptions,
  environment: CommandEnvironment,
  submission: PipelineSubmission,
) {
  if (options.json === true) {
    const { createJsonReporter } = await import('../pipeline/run/json-reporter.ts');
    return createJsonReporter(environment.stdout);
  }
  const { createTextReporter } = await import('../pipeline/run/text-reporter.ts');
  const { only_jobs: only, run_needs: withNeeds, jobs } = submission;
  const isShown = (name: string): boolean => only.length === 0 || withNeeds || only.includes(name);
  const jobNames = jobs.map((job) => job.name).filter(isShown);
  return createTextReporter({ jobNames, isTerminal: showsColours(environment), write: environment.stdout });
}

/** As https://no-color.org asks. */
function showsColours({ isTerminal, env }: CommandEnvironment): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

function stopActions(target: PipelineTarget, environment: CommandEnvironment, pipelineId: number) {
  const stopPipeline = (how: 'cancel' | 'abort'): void => {
    target.client.stop(pipelineId, how, target.signal).catch(() => target.giveUp('the coordinator does not answer'));
  };
  return {
    cancel: () => {
      environment.stderr('Canceling the pipeline; once more stops it at once.\n');
      stopPipeline('cancel');
    },
    abort: () => {
      environment.stderr('Stopping at once.\n');
      stopPipeline('abort');
      target.abortJobs('second stop request');
    },
  };
}

async function collect(
  options: PipelineRunOptions,
  environment: CommandEnvironment,
  target: PipelineTarget,
  pipelineId: number,
): Promise<void> {
  if (options.artifactsDir === undefined) return;
  const { collectArtifacts } = await import('./pipeline-artifacts.ts');
  const folder = resolve(environment.workingDirectory, options.artifactsDir);
  const pipeline = await target.client.read(pipelineId, target.signal);
  const names = await collectArtifacts(target.client, pipeline, folder, target.signal);
  if (options.json !== true && names.length > 0) environment.stdout(`Artifacts of ${names.join(', ')}: ${folder}\n`);
}
