import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { executorTable } from '../compose.ts';
import { defaultConfigFolder, defaultConfigPath } from '../config/config-paths.ts';
import { loadConfig } from '../config/load-config.ts';
import type { RunnerConfig } from '../config/runner-config.ts';
import { compatibility, hostPlatform } from '../gitlab/compatibility.ts';
import { type JobPayload, jobPayloadSchema } from '../gitlab/job-payload.ts';
import { CommandError, errorMessage } from '../lib/errors.ts';
import { silentLogger } from '../observability/logger.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { planBuild } from '../plan/plan-build.ts';
import { publicView } from '../plan/public-view.ts';
import { processAccount } from '../platform/account.ts';
import { readConfigFile } from '../platform/config-file.ts';
import { selfCommand } from '../platform/self-command.ts';
import { systemClock } from '../platform/system-clock.ts';
import { generateScript } from '../shells/generate-script.ts';
import type { CommandEnvironment } from './command-environment.ts';

export interface PlanCommandOptions {
  /** Path of a payload, `-` for standard input. */
  readonly payload: string;
  readonly config?: string;
  readonly runner?: string;
  readonly scripts?: boolean;
}

/**
 * `plan`: prints the build plan of a job as JSON, what is not public hidden.
 * @throws CommandError, ConfigError, JobConfigurationError
 */
export async function runPlanCommand(options: PlanCommandOptions, environment: CommandEnvironment): Promise<void> {
  const payload = await readPayload(options.payload, environment);
  const runner = await chooseRunner(options, environment);
  // A plan with hidden values has the form of a plan.
  const plan = publicView(planFor(payload, runner, environment)) as unknown as BuildPlan;
  environment.stdout(`${JSON.stringify(plan, null, 2)}\n`);
  if (options.scripts !== true) return;
  for (const stage of stagesOf(plan)) {
    environment.stdout(`\n=== ${stage.stage}\n${generateScript(stage, plan, { jobStatus: 'running' })}`);
  }
}

async function chooseRunner(options: PlanCommandOptions, environment: CommandEnvironment): Promise<RunnerConfig> {
  const place = { ...processAccount(), workingDirectory: environment.workingDirectory };
  const path = resolve(environment.workingDirectory, options.config ?? defaultConfigPath(place));
  const { config, exists } = await loadConfig(path, {
    environment: environment.env,
    defaultFolder: defaultConfigFolder(place),
    logger: silentLogger,
  });
  if (!exists) throw new CommandError(`there is no config file ${path}`, { hint: 'Name one with --config.' });
  const runner = config.runners.find(({ name }) => options.runner === undefined || name === options.runner);
  if (runner !== undefined) return runner;
  throw new CommandError(
    options.runner === undefined
      ? `${path} has no [[runners]] entry`
      : `${path} has no runner named "${options.runner}"`,
    { hint: `Runners in it: ${config.runners.map(({ name }) => name).join(', ') || 'none'}.` },
  );
}

async function readPayload(path: string, environment: CommandEnvironment): Promise<JobPayload> {
  const content =
    path === '-'
      ? await text(process.stdin)
      : (await readConfigFile(resolve(environment.workingDirectory, path)))?.text;
  if (content === undefined) throw new CommandError(`--payload ${path}: there is no such file`);
  const data = parseJson(content, path);
  checkIsJob(data, path);
  const parsed = jobPayloadSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new CommandError(`${path} is not a job payload: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
}

/** What every server sends. The schema takes less, so that no server's omission stops a runner. */
const neededParts = ['id', 'job_info', 'git_info', 'steps'];

function checkIsJob(data: unknown, path: string): void {
  const isObject = typeof data === 'object' && data !== null && !Array.isArray(data);
  const missing = neededParts.filter((name) => !isObject || !Object.hasOwn(data, name));
  if (missing.length === 0) return;
  throw new CommandError(`${path} is not a job payload: ${missing.join(', ')} missing`, {
    hint: 'It is what the server answers to POST /api/v4/jobs/request: one JSON object.',
  });
}

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new CommandError(`${path} is not JSON: ${errorMessage(error)}`, { cause: error });
  }
}

function planFor(payload: JobPayload, runner: RunnerConfig, environment: CommandEnvironment): BuildPlan {
  const providers = executorTable({
    environment: environment.env,
    workingDirectory: environment.workingDirectory,
    selfCommand: selfCommand(),
    user: '',
    clock: systemClock(),
  });
  const provider = providers.get(runner.executor);
  if (provider === undefined) {
    throw new CommandError(`executor "${runner.executor}" is not known`, {
      hint: `Known: ${[...providers.keys()].join(', ')}.`,
    });
  }
  const { platform, architecture } = hostPlatform(process.platform, process.arch);
  return planBuild({
    payload,
    runner,
    traits: provider.traits(runner),
    concurrentId: 0,
    concurrentProjectId: 0,
    correlationId: '',
    outputMark: '',
    version: {
      runnerVersion: compatibility.version,
      revision: compatibility.revision,
      os: platform,
      arch: architecture,
    },
  });
}

function stagesOf({ stages }: BuildPlan): readonly StagePlan[] {
  return [
    stages.prepareScript,
    stages.getSources,
    stages.restoreCache,
    stages.downloadArtifacts,
    ...stages.steps,
    stages.afterScript,
    stages.archiveCacheOnSuccess,
    stages.uploadArtifactsOnSuccess,
    stages.cleanup,
  ].filter((stage): stage is StagePlan => stage !== undefined);
}
