import { isFeatureFlagName } from './feature-flags.ts';
import type { JobVariable } from './job-variable.ts';
import { internalVariable } from './lookup.ts';

/** Contents of the TLS files a job gets to reach its GitLab; undefined = none. */
export interface TlsContents {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Which program runs the build. */
export interface RunnerVersion {
  readonly runnerVersion: string;
  readonly revision: string;
  /** As Go names it: `linux`, `windows`, `darwin`. */
  readonly os: string;
  /** As Go names it: `amd64`, `arm64`. */
  readonly arch: string;
}

/** Everything a job's variable list is made of (spec job-execution.md §10). */
export interface VariableSources {
  readonly featureFlags: Readonly<Record<string, boolean>>;
  readonly imageName: string;
  readonly shortToken: string;
  /** `KEY=VALUE` entries of `[[runners]].environment`. */
  readonly environment: readonly string[];
  readonly buildsDirectory: string;
  readonly projectDirectory: string;
  readonly temporaryDirectory: string;
  readonly concurrentId: number;
  readonly concurrentProjectId: number;
  readonly jobTimeoutSeconds: number;
  readonly serverUrl: string;
  readonly tls: TlsContents | undefined;
  readonly payload: readonly Omit<JobVariable, 'internal'>[];
  readonly sharedEnvironment: boolean;
  readonly version: RunnerVersion;
  readonly networkName: string;
}

/** The job's variables in order of precedence, not yet expanded: a later entry wins. */
export function buildVariables(sources: VariableSources): readonly JobVariable[] {
  const { version } = sources;
  return [
    ...Object.entries(sources.featureFlags).map(([key, isOn]) => internalVariable(key, String(isOn))),
    ...(sources.imageName === '' ? [] : [internalVariable('CI_JOB_IMAGE', sources.imageName)]),
    internalVariable('CI_RUNNER_SHORT_TOKEN', sources.shortToken),
    ...environmentVariables(sources.environment).filter((variable) => !isFeatureFlagName(variable.key)),
    internalVariable('CI_BUILDS_DIR', sources.buildsDirectory),
    internalVariable('CI_PROJECT_DIR', sources.projectDirectory),
    internalVariable('CI_CONCURRENT_ID', String(sources.concurrentId)),
    internalVariable('CI_CONCURRENT_PROJECT_ID', String(sources.concurrentProjectId)),
    internalVariable('CI_SERVER', 'yes'),
    internalVariable('CI_JOB_STATUS', 'running'),
    internalVariable('CI_JOB_TIMEOUT', String(sources.jobTimeoutSeconds)),
    ...tlsVariables(sources),
    ...sources.payload
      .filter((variable) => !isFeatureFlagName(variable.key))
      .map(({ key, value, public: isPublic, file, masked, raw }) => ({
        key,
        value,
        public: isPublic,
        file,
        masked,
        raw,
        internal: false,
      })),
    internalVariable(sources.sharedEnvironment ? 'CI_SHARED_ENVIRONMENT' : 'CI_DISPOSABLE_ENVIRONMENT', 'true'),
    internalVariable('CI_RUNNER_VERSION', version.runnerVersion),
    internalVariable('CI_RUNNER_REVISION', version.revision),
    internalVariable('CI_RUNNER_EXECUTABLE_ARCH', `${version.os}/${version.arch}`),
    internalVariable('RUNNER_TEMP_PROJECT_DIR', sources.temporaryDirectory),
    ...(sources.featureFlags['FF_NETWORK_PER_BUILD'] === true
      ? [internalVariable('CI_BUILD_NETWORK_NAME', sources.networkName)]
      : []),
  ];
}

/** `[[runners]].environment` as variables; entries without `=` say nothing. */
export function environmentVariables(entries: readonly string[]): readonly JobVariable[] {
  const variables: JobVariable[] = [];
  for (const entry of entries) {
    const separator = entry.indexOf('=');
    if (separator < 0) continue;
    variables.push(internalVariable(entry.slice(0, separator), entry.slice(separator + 1), { public: false }));
  }
  return variables;
}

function tlsVariables({ serverUrl, tls }: VariableSources): readonly JobVariable[] {
  if (tls === undefined) return [];
  const variables: JobVariable[] = [];
  const isHttps = serverUrl.toLowerCase().startsWith('https:');
  if (isHttps && tls.ca !== undefined && tls.ca !== '') {
    variables.push(internalVariable('CI_SERVER_TLS_CA_FILE', tls.ca, { file: true }));
  }
  if (tls.cert && tls.key) {
    variables.push(internalVariable('CI_SERVER_TLS_CERT_FILE', tls.cert, { file: true }));
    variables.push(internalVariable('CI_SERVER_TLS_KEY_FILE', tls.key, { file: true, public: false }));
  }
  return variables;
}
