import { cleanRepositoryUrl } from '../git/repository-url.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import { buildVariables, environmentVariables, type VariableSources } from '../variables/build-variables.ts';
import { expandText, expandVariables } from '../variables/expand.ts';
import { type ResolvedFeatureFlags, resolveFeatureFlags } from '../variables/feature-flags.ts';
import { type JobSettings, readJobSettings } from '../variables/job-settings.ts';
import type { JobVariable } from '../variables/job-variable.ts';
import { variableLookup } from '../variables/lookup.ts';
import { readBoolean } from '../variables/parse-boolean.ts';
import { shortToken } from '../variables/short-token.ts';
import { isPosixName, isPowershellName } from '../variables/variable-names.ts';
import { planDownloadArtifacts, planUploadArtifacts } from './artifact-stages.ts';
import type {
  BuildDirectories,
  BuildNames,
  BuildPlan,
  BuildStages,
  PlannedJob,
  PlannedVolumes,
  ScriptOptions,
} from './build-plan.ts';
import { planArchiveCache, planRestoreCache } from './cache-stages.ts';
import { buildDirectories, rootDirectory } from './directories.ts';
import { planCleanup, planPrepareScript, planSources, planWorktreeClearing } from './environment-stages.ts';
import type { ExecutorTraits, ShellName } from './executor-traits.ts';
import { gitContext } from './git-plan.ts';
import { planImage, planService } from './images.ts';
import { interpolateInputs } from './inputs/interpolate.ts';
import { planMasking } from './masking.ts';
import { buildNames } from './names.ts';
import type { PlanContext } from './plan-context.ts';
import type { PlanRequest } from './plan-request.ts';
import { policyNotes } from './policy-notes.ts';
import { planAfterScript, planSteps } from './script-stages.ts';
import { selectShell } from './select-shell.ts';
import { buildTimeouts, jobTimeoutSeconds } from './timeouts.ts';

/**
 * Decides everything about a build from what was received and configured. Pure: the same request gives the same plan
 * (spec job-execution.md §2–§21).
 * @throws JobConfigurationError when the job cannot run as it is written or configured.
 */
export function planBuild(received: PlanRequest): BuildPlan {
  const shell = selectShell(received.runner, received.traits);
  const flags = jobFeatureFlags(received);
  const payload = flags.values['FF_ENABLE_JOB_INPUTS_INTERPOLATION']
    ? interpolateInputs(received.payload)
    : received.payload;
  const request = { ...received, payload };
  const names = namesOf(request);
  const directories = directoriesOf(request, names, flags);
  const variables = variablesOf(request, names, flags, directories);
  const settings = settingsOf(request, variables, directories);
  const context = contextOf(request, { flags, directories, variables, settings, shell });
  return {
    formatVersion: 1,
    job: plannedJob(request),
    runner: plannedRunner(request),
    names,
    directories,
    shell,
    variables,
    masking: planMasking(variables, payload.features.token_mask_prefixes, context.isOn('FF_MASK_ALL_DEFAULT_TOKENS')),
    trace: {
      sections: payload.features.trace_sections,
      timestamps: context.isOn('FF_TIMESTAMPS'),
      outputLimitBytes: request.runner.outputLimitBytes,
      debug: settings.debugTrace || settings.debugServices,
    },
    script: scriptOptions(request, context),
    timeouts: buildTimeouts(payload.runner_info.timeout, request.runner, context.lookup),
    afterScriptIgnoresErrors: settings.afterScriptIgnoresErrors,
    featureFlags: flags.values,
    changedFeatureFlags: flags.changed,
    settingsProblems: [...settings.problems, ...flags.problems, ...nameProblems(variables, shell)],
    policyNotes: policyNotes(payload.policy_options),
    stages: planStages(context),
    volumes: plannedVolumes(request, settings),
    image: planImage(payload.image, context.lookup),
    services: payload.services.map((service) => planService(service, variables, directories.temporary)),
    registryCredentials: payload.credentials
      .filter(({ type }) => type === 'registry')
      .map(({ url, username, password }) => ({ url, username, password })),
    supportedFailureReasons: payload.features.failure_reasons,
  };
}

function jobFeatureFlags({ runner, payload }: PlanRequest): ResolvedFeatureFlags {
  return resolveFeatureFlags(runner.featureFlags, [...environmentVariables(runner.environment), ...payload.variables]);
}

function namesOf({ runner, payload, concurrentId, concurrentProjectId }: PlanRequest): BuildNames {
  const projectId = payload.job_info.project_id;
  return buildNames({ runner, projectId, jobId: payload.id, concurrentId, concurrentProjectId });
}

/** The directories depend on variables that may name the root, which is known before them. */
function directoriesOf(request: PlanRequest, names: BuildNames, flags: ResolvedFeatureFlags): BuildDirectories {
  const { runner, traits, payload } = request;
  const root = rootDirectory(runner, traits);
  const early = variablesOf(request, names, flags, { root, project: '', temporary: '', cache: '' });
  const lookup = variableLookup(early, '');
  const { gitClonePath, gitStrategy } = readJobSettings(lookup, settingsContext(request));
  return buildDirectories({
    runner,
    traits,
    root,
    repositoryUrl: payload.git_info.repo_url,
    projectId: payload.job_info.project_id,
    concurrentProjectId: names.concurrentProjectId,
    clonePath: expandText(gitClonePath, lookup),
    isEmptyStrategy: gitStrategy === 'empty',
  });
}

function variablesOf(
  request: PlanRequest,
  names: BuildNames,
  flags: ResolvedFeatureFlags,
  directories: BuildDirectories,
): readonly JobVariable[] {
  const { payload, runner, traits, version } = request;
  const sources: VariableSources = {
    featureFlags: flags.values,
    imageName: payload.image.name,
    shortToken: shortToken(runner.token),
    environment: runner.environment,
    buildsDirectory: nativePath(directories.root, request),
    projectDirectory: nativePath(directories.project, request),
    temporaryDirectory: directories.temporary,
    concurrentId: names.concurrentId,
    concurrentProjectId: names.concurrentProjectId,
    jobTimeoutSeconds: jobTimeoutSeconds(payload.runner_info.timeout),
    serverUrl: runner.url,
    tls: request.tlsData,
    payload: payload.variables,
    sharedEnvironment: traits.sharedEnvironment,
    version,
    networkName: names.uniqueShort,
  };
  return expandVariables(buildVariables(sources), directories.temporary);
}

/** Paths on a Windows machine are shown to jobs as Windows writes them. */
function nativePath(path: string, { version }: PlanRequest): string {
  return version.os === 'windows' && /^[A-Za-z]:/.test(path) ? path.replaceAll('/', '\\') : path;
}

function settingsContext({ payload, runner }: PlanRequest) {
  const { depth } = payload.git_info;
  return { allowGitFetch: payload.allow_git_fetch, depth, debugTraceDisabled: runner.debugTraceDisabled };
}

function settingsOf(
  request: PlanRequest,
  variables: readonly JobVariable[],
  directories: BuildDirectories,
): JobSettings {
  return readJobSettings(variableLookup(variables, directories.temporary), settingsContext(request));
}

interface ContextParts {
  readonly flags: ResolvedFeatureFlags;
  readonly directories: BuildDirectories;
  readonly variables: readonly JobVariable[];
  readonly settings: JobSettings;
  readonly shell: ShellName;
}

function contextOf(request: PlanRequest, parts: ContextParts): PlanContext {
  const { flags, directories, variables, settings, shell } = parts;
  const context = {
    payload: request.payload,
    runner: request.runner,
    traits: request.traits,
    settings,
    directories,
    dialect: shell === 'pwsh' || shell === 'powershell' ? ('powershell' as const) : ('posix' as const),
    variables,
    lookup: variableLookup(variables, directories.temporary),
    startedAt: request.startedAt,
    isOn: (name: string): boolean => flags.values[name] ?? false,
  };
  return { ...context, git: gitContext(request, context) };
}

function plannedJob({ payload, correlationId }: PlanRequest): PlannedJob {
  const { job_info: job, git_info: source } = payload;
  return {
    id: payload.id,
    token: payload.token,
    name: job.name,
    stage: job.stage,
    projectId: job.project_id,
    projectName: job.project_name,
    pipelineId: job.pipeline_id,
    sha: source.sha,
    ref: source.ref,
    repositoryUrl: cleanRepositoryUrl(source.repo_url),
    isProtected: source.protected ?? isProtectedByVariable(payload),
    correlationId,
  };
}

/** Spec docker.md §11.2, §11.3. */
function plannedVolumes({ payload }: PlanRequest, { gitStrategy }: JobSettings): PlannedVolumes {
  const isProtected = payload.git_info.protected ?? isProtectedByVariable(payload);
  const hasProtectedKey = payload.cache.some(
    ({ key }) => key.endsWith('-protected') && !key.endsWith('-non_protected'),
  );
  return { keepsBuilds: gitStrategy === 'fetch', areProtected: isProtected || hasProtectedKey };
}

/** The server's own variable comes first; a later one is the user's and does not count. */
function isProtectedByVariable({ variables }: JobPayload): boolean {
  return readBoolean(variables.find(({ key }) => key === 'CI_COMMIT_REF_PROTECTED')?.value ?? '');
}

function plannedRunner({ runner }: PlanRequest): BuildPlan['runner'] {
  const { name, url, systemId, executor } = runner;
  return { name, url, shortToken: shortToken(runner.token), systemId, executor };
}

function scriptOptions({ traits, outputMark }: PlanRequest, { isOn, settings }: PlanContext): ScriptOptions {
  return {
    loginShell: traits.loginShell,
    posixEscapes: isOn('FF_POSIXLY_CORRECT_ESCAPES'),
    legacyBashEval: isOn('FF_USE_LEGACY_BASH_EVAL'),
    exitCodeCheck: isOn('FF_ENABLE_BASH_EXIT_CODE_CHECK'),
    debugTrace: settings.debugTrace,
    powershellPathResolver: isOn('FF_USE_POWERSHELL_PATH_RESOLVER'),
    powershellFromFile: usesScriptFile(traits, isOn),
    outputMark,
  };
}

/** The custom executor gets every script as a file; only the shell executor can be told to. */
function usesScriptFile(traits: ExecutorTraits, isOn: (name: string) => boolean): boolean {
  return traits.name === 'custom' || (traits.name === 'shell' && isOn('FF_DISABLE_POWERSHELL_STDIN'));
}

/** Names that the job's shell cannot have: scripts do without them instead of failing. */
function nameProblems(variables: readonly JobVariable[], shell: ShellName): readonly string[] {
  const isPossible = shell === 'pwsh' || shell === 'powershell' ? isPowershellName : isPosixName;
  const names = new Set(variables.map(({ key }) => key).filter((key) => !isPossible(key)));
  return [...names].map(
    (name) => `${JSON.stringify(name)}: not a variable name that ${shell} can export, scripts do not get it`,
  );
}

function planStages(context: PlanContext): BuildStages {
  return {
    prepareScript: planPrepareScript(context),
    getSources: planSources(context),
    clearWorktree: planWorktreeClearing(context),
    restoreCache: planRestoreCache(context),
    downloadArtifacts: planDownloadArtifacts(context),
    steps: planSteps(context),
    afterScript: planAfterScript(context),
    archiveCacheOnSuccess: planArchiveCache('success', context),
    archiveCacheOnFailure: planArchiveCache('failure', context),
    uploadArtifactsOnSuccess: planUploadArtifacts('success', context),
    uploadArtifactsOnFailure: planUploadArtifacts('failure', context),
    cleanup: planCleanup(context),
  };
}
