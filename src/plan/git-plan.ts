import type { GitContext, TlsSetting } from '../git/git-context.ts';
import { planRemote } from '../git/remote.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import type { PlanContext } from './plan-context.ts';
import type { PlanRequest } from './plan-request.ts';

const tlsSettings = [
  { name: 'sslCAInfo', variable: 'CI_SERVER_TLS_CA_FILE' },
  { name: 'sslCert', variable: 'CI_SERVER_TLS_CERT_FILE' },
  { name: 'sslKey', variable: 'CI_SERVER_TLS_KEY_FILE' },
] as const;

/** Gathers what the sources are planned from. */
export function gitContext(request: PlanRequest, context: Omit<PlanContext, 'git'>): GitContext {
  const { payload, runner, traits, version } = request;
  const { settings, directories, lookup, isOn } = context;
  const value = (key: string): string => lookup(key) ?? '';
  const urlsWithToken = !isOn('FF_GIT_URLS_WITHOUT_TOKENS');
  return {
    settings,
    dialect: context.dialect,
    rootDirectory: directories.root,
    projectDirectory: directories.project,
    temporaryDirectory: directories.temporary,
    remote: planRemote({
      cloneUrl: runner.cloneUrl,
      runnerUrl: runner.url,
      repositoryUrl: payload.git_info.repo_url,
      projectPath: value('CI_PROJECT_PATH'),
      jobToken: payload.token,
      forceHttpsForSubmodules: settings.submodules.forceHttps,
      sshHost: value('CI_SERVER_SHELL_SSH_HOST') || value('CI_SERVER_HOST'),
      sshPort: value('CI_SERVER_SHELL_SSH_PORT'),
      urlsWithToken,
    }),
    ref: payload.git_info.ref,
    sha: payload.git_info.sha,
    refspecs: payload.git_info.refspecs,
    depth: payload.git_info.depth,
    objectFormat: payload.git_info.repo_object_format,
    userAgent: `gitlab-runner ${version.runnerVersion} ${version.os}/${version.arch}`,
    correlationId: request.correlationId,
    sharedEnvironment: traits.sharedEnvironment,
    safeDirectory: runner.safeDirectoryCheckout ?? traits.safeDirectoryByDefault,
    cleanConfiguration: runner.cleanGitConfig ?? (traits.cleanGitConfigByDefault && settings.gitStrategy !== 'none'),
    urlsWithToken,
    nativeClone: isOn('FF_USE_GIT_NATIVE_CLONE'),
    proactiveAuthentication: isOn('FF_USE_GIT_PROACTIVE_AUTH'),
    bundleUris: isOn('FF_USE_GIT_BUNDLE_URIS'),
    sendCorrelationId: isOn('FF_USE_GITALY_CORRELATION_ID'),
    changesOwnership: isOn('FF_DISABLE_UMASK_FOR_KUBERNETES_EXECUTOR') || isOn('FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR'),
    debug: settings.debugTrace,
    tls: tlsSettings.flatMap(({ name, variable }): readonly TlsSetting[] => {
      const path = value(variable);
      return path === '' ? [] : [{ name, variable, path }];
    }),
    preHook: [...configuredHook(runner.preGetSourcesScript), ...payloadHook(payload, 'pre_get_sources_script')],
    postHook: [...payloadHook(payload, 'post_get_sources_script'), ...configuredHook(runner.postGetSourcesScript)],
    hooksAsSections: isOn('FF_SCRIPT_SECTIONS') && payload.features.trace_sections,
  };
}

function configuredHook(script: string): readonly string[] {
  return script === '' ? [] : [script];
}

/** The first hook of that name counts. */
function payloadHook(payload: JobPayload, name: string): readonly string[] {
  return payload.hooks.find((hook) => hook.name === name)?.script ?? [];
}
