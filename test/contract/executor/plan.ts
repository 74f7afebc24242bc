import { dockerSchema } from '../../../src/config/docker-schema.ts';
import type { RunnerConfig } from '../../../src/config/runner-config.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import type { ShellName } from '../../../src/plan/executor-traits.ts';

export interface PlanOverrides {
  readonly shell?: ShellName;
  readonly loginShell?: boolean;
  readonly powershellFromFile?: boolean;
  readonly variables?: Readonly<Record<string, string>>;
  readonly jobId?: number;
}

/** A plan with what executors read; the rest is empty. */
export function planFor(overrides: PlanOverrides = {}): BuildPlan {
  const variables = Object.entries(overrides.variables ?? {}).map(([key, value]) => ({
    key,
    value,
    public: true,
    file: false,
    masked: false,
    raw: true,
    internal: false,
  }));
  const stage = {
    stage: 'prepare_script',
    title: 'Preparing environment',
    where: 'helper' as const,
    exports: 'none' as const,
    operations: [],
    attempts: 1,
    generationError: undefined,
  };
  return {
    formatVersion: 1,
    job: {
      id: overrides.jobId ?? 1,
      token: 'job-token',
      name: 'job',
      stage: 'test',
      projectId: 1,
      projectName: 'p',
      pipelineId: 1,
      sha: '0'.repeat(40),
      ref: 'main',
      repositoryUrl: '',
      isProtected: false,
      correlationId: '',
    },
    runner: { name: 'r', url: '', shortToken: 'short', systemId: 's_1', executor: 'shell' },
    names: { concurrentId: 0, concurrentProjectId: 0, unique: 'u', uniqueShort: 'us', volume: 'v' },
    directories: { root: '/builds', project: '/builds/p', temporary: '/builds/p.tmp', cache: '/cache' },
    shell: overrides.shell ?? 'bash',
    variables,
    masking: { phrases: [], tokenPrefixes: [] },
    trace: { sections: true, timestamps: true, outputLimitBytes: 4 * 1024 * 1024, debug: false },
    script: {
      loginShell: overrides.loginShell ?? false,
      posixEscapes: false,
      legacyBashEval: false,
      exitCodeCheck: false,
      debugTrace: false,
      powershellPathResolver: false,
      powershellFromFile: overrides.powershellFromFile ?? false,
      outputMark: '',
    },
    timeouts: {
      jobMs: 3_600_000,
      prepareMs: undefined,
      getSourcesMs: undefined,
      scriptMs: undefined,
      afterScriptMs: 300_000,
      warnings: [],
    },
    afterScriptIgnoresErrors: true,
    featureFlags: {},
    changedFeatureFlags: [],
    settingsProblems: [],
    policyNotes: [],
    stages: {
      prepareScript: stage,
      getSources: stage,
      clearWorktree: stage,
      restoreCache: undefined,
      downloadArtifacts: undefined,
      steps: [],
      afterScript: undefined,
      archiveCacheOnSuccess: undefined,
      archiveCacheOnFailure: undefined,
      uploadArtifactsOnSuccess: undefined,
      uploadArtifactsOnFailure: undefined,
      cleanup: stage,
    },
    image: undefined,
    services: [],
    registryCredentials: [],
    supportedFailureReasons: [],
  };
}

/** Images of the tests' own daemon. */
const testDocker = { image: 'busybox:test', helper_image: 'debian:test', pull_policy: 'if-not-present' };

export function runnerFor(executor: string, shell = ''): RunnerConfig {
  return {
    name: 'r',
    url: 'http://gitlab.test',
    token: 'glrt-token',
    id: 1,
    systemId: 's_1',
    executor,
    ...(executor === 'docker' ? { docker: dockerSchema.parse(testDocker) } : {}),
    shell,
    limit: 0,
    requestConcurrency: 1,
    strictCheckInterval: false,
    unhealthyRequestsLimit: 0,
    unhealthyIntervalMs: 0,
    jobStatusFinalUpdateRetryLimit: 0,
    outputLimitBytes: 0,
    buildsDir: '',
    cacheDir: '',
    cloneUrl: '',
    environment: [],
    preGetSourcesScript: '',
    postGetSourcesScript: '',
    preBuildScript: '',
    postBuildScript: '',
    prepareTimeoutMs: undefined,
    getSourcesTimeoutMs: undefined,
    debugTraceDisabled: false,
    safeDirectoryCheckout: undefined,
    cleanGitConfig: undefined,
    customBuildDirEnabled: undefined,
    featureFlags: {},
    labels: {},
    tls: { caFile: '', certFile: '', keyFile: '' },
    artifact: { uploadTimeoutMs: 0, responseHeaderTimeoutMs: 0 },
    cache: { type: '', path: '', shared: false, maxUploadedArchiveSize: 0 },
    embedded: {},
  };
}
