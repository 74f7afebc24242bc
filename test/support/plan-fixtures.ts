import type { RunnerConfig } from '../../src/config/runner-config.ts';
import { jobPayloadSchema } from '../../src/gitlab/job-payload.ts';
import type { ExecutorTraits } from '../../src/plan/executor-traits.ts';
import type { PlanRequest } from '../../src/plan/plan-request.ts';

/** A runner as config.toml would give it, with what a test wants different. */
export function runnerFixture(changes: Partial<RunnerConfig> = {}): RunnerConfig {
  return {
    name: 'test runner',
    url: 'https://gitlab.example.com/',
    token: 'glrt-t1_abcdefghijklmnop',
    id: 7,
    systemId: 's_0123456789ab',
    executor: 'shell',
    shell: '',
    limit: 0,
    requestConcurrency: 1,
    strictCheckInterval: false,
    unhealthyRequestsLimit: 3,
    unhealthyIntervalMs: 3_600_000,
    jobStatusFinalUpdateRetryLimit: 10,
    outputLimitBytes: 4_194_304,
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
    artifact: { uploadTimeoutMs: 3_600_000, responseHeaderTimeoutMs: 600_000 },
    cache: { type: '', path: '', shared: false, maxUploadedArchiveSize: 0 },
    embedded: {},
    ...changes,
  };
}

export const shellTraits: ExecutorTraits = {
  name: 'shell',
  features: ['variables', 'shared'],
  defaultShell: 'bash',
  loginShell: true,
  defaultBuildsDir: '/srv/runner/builds',
  defaultCacheDir: '/srv/runner/cache',
  sharedBuildsDir: true,
  customBuildDirByDefault: false,
  safeDirectoryByDefault: false,
  cleanGitConfigByDefault: false,
  helperCommand: ['/usr/bin/millrace'],
  runnerHost: '',
  sharedEnvironment: true,
  operatingSystem: 'unix',
};

export const dockerTraits: ExecutorTraits = {
  ...shellTraits,
  name: 'docker',
  features: ['variables', 'image', 'services'],
  loginShell: false,
  defaultBuildsDir: '/builds',
  defaultCacheDir: '/cache',
  sharedBuildsDir: false,
  customBuildDirByDefault: true,
  safeDirectoryByDefault: true,
  cleanGitConfigByDefault: true,
  helperCommand: ['/usr/bin/gitlab-runner-helper'],
  runnerHost: 'runner-host',
  sharedEnvironment: false,
};

const basePayload = {
  id: 4711,
  token: 'glcbt-64_secret-token',
  allow_git_fetch: true,
  job_info: { name: 'test job', stage: 'test', project_id: 42, project_name: 'demo', pipeline_id: 99 },
  git_info: {
    repo_url: 'https://gitlab-ci-token:glcbt-64_secret-token@gitlab.example.com/group/demo.git',
    ref: 'main',
    sha: '0123456789abcdef0123456789abcdef01234567',
    refspecs: ['+refs/pipelines/99:refs/pipelines/99', '+refs/heads/main:refs/remotes/origin/main'],
    depth: 20,
  },
  runner_info: { timeout: 3600 },
  variables: [
    { key: 'CI', value: 'true', public: true },
    { key: 'CI_PROJECT_PATH', value: 'group/demo', public: true },
    { key: 'CI_SERVER_HOST', value: 'gitlab.example.com', public: true },
    { key: 'CI_JOB_TOKEN', value: 'glcbt-64_secret-token', masked: true },
    { key: 'GREETING', value: 'hello $CI_PROJECT_PATH', public: true },
  ],
  steps: [
    { name: 'script', script: ['echo "$GREETING"', 'if true; then\n  echo two lines\nfi'] },
    { name: 'after_script', script: ['echo after'] },
  ],
  features: { trace_sections: true, failure_reasons: ['runner_configuration_error'] },
};

/** A job as GitLab hands it out; members given replace those of a small ordinary job. */
export function payloadFixture(changes: Readonly<Record<string, unknown>> = {}) {
  return jobPayloadSchema.parse({ ...basePayload, ...changes });
}

/** The variables of the ordinary job and more. */
export function variablesFixture(values: Readonly<Record<string, string>>) {
  return [...basePayload.variables, ...Object.entries(values).map(([key, value]) => ({ key, value, public: true }))];
}

export function planRequestFixture(changes: Partial<PlanRequest> = {}): PlanRequest {
  return {
    payload: payloadFixture(),
    runner: runnerFixture(),
    traits: shellTraits,
    concurrentId: 0,
    concurrentProjectId: 0,
    correlationId: '01CORRELATION',
    outputMark: '',
    version: { runnerVersion: '19.4.0', revision: 'abcdef12', os: 'linux', arch: 'amd64' },
    ...changes,
  };
}
