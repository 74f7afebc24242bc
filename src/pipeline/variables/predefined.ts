import type { CompileOptions } from '../options.ts';
import { slug } from '../slugs.ts';
import { mergeRequestVariables } from './merge-request.ts';
import type { ProjectIdentity } from './project-identity.ts';
import { type PipelineVariable, yamlVariable } from './scope.ts';

const SERVER_VERSION = '18.5.0';
const MAX_MESSAGE_BYTES = 100_000;
const MAX_TITLE_LENGTH = 100;

/** What `CI_COMMIT_REF_PROTECTED` says. */
export function isProtected(options: CompileOptions): boolean {
  const { refName, defaultBranch } = options.gitFacts;
  const patterns = options.protectedRefs ?? [defaultBranch];
  return patterns.some((pattern) => starMatches(pattern, refName));
}

/** `*` stands for any text. */
export function starMatches(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const source = pattern
    .split('*')
    .map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(text);
}

/**
 * The predefined variables that exist before a pipeline does (spec local-pipeline.md §13, phase P); includes and
 * `workflow:rules` see them too.
 */
export function predefinedVariables(options: CompileOptions, project: ProjectIdentity): readonly PipelineVariable[] {
  return [
    yamlVariable('CI', 'true'),
    yamlVariable('GITLAB_CI', options.compatGcl === true ? 'false' : 'true'),
    yamlVariable('MILLRACE_LOCAL', 'true'),
    ...serverVariables(project),
    ...projectVariables(options, project),
    ...commitVariables(options),
    ...refVariables(options),
    ...pipelineVariables(options),
    ...mergeRequestVariables(options, project),
  ];
}

function serverVariables({ server, namespace }: ProjectIdentity): readonly PipelineVariable[] {
  const [major = '', minor = '', patch = ''] = SERVER_VERSION.split('.');
  const version = [
    yamlVariable('CI_SERVER_NAME', 'GitLab'),
    yamlVariable('CI_SERVER_VERSION', SERVER_VERSION),
    yamlVariable('CI_SERVER_VERSION_MAJOR', major),
    yamlVariable('CI_SERVER_VERSION_MINOR', minor),
    yamlVariable('CI_SERVER_VERSION_PATCH', patch),
    yamlVariable('CI_SERVER_REVISION', 'millrace'),
    yamlVariable('CI_TEMPLATE_REGISTRY_HOST', 'registry.gitlab.com'),
  ];
  if (server === undefined) return version;
  const proxy = `${server.host}:${server.port}`;
  const root = namespace.split('/')[0] ?? '';
  return [
    ...version,
    yamlVariable('CI_SERVER_URL', server.url),
    yamlVariable('CI_SERVER_HOST', server.host),
    yamlVariable('CI_SERVER_PORT', String(server.port)),
    yamlVariable('CI_SERVER_PROTOCOL', server.protocol),
    yamlVariable('CI_SERVER_FQDN', server.fqdn),
    yamlVariable('CI_SERVER_SHELL_SSH_HOST', server.host),
    yamlVariable('CI_SERVER_SHELL_SSH_PORT', String(server.sshPort ?? 22)),
    yamlVariable('CI_API_V4_URL', `${server.url}/api/v4`),
    yamlVariable('CI_API_GRAPHQL_URL', `${server.url}/api/graphql`),
    yamlVariable('CI_DEPENDENCY_PROXY_SERVER', proxy),
    yamlVariable('CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX', `${proxy}/${root}/dependency_proxy/containers`),
    yamlVariable('CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX', `${proxy}/${namespace}/dependency_proxy/containers`),
  ];
}

function projectVariables(options: CompileOptions, project: ProjectIdentity): readonly PipelineVariable[] {
  const { name, path, namespace, id, server } = project;
  const variables = [
    yamlVariable('CI_PROJECT_ID', String(id)),
    yamlVariable('CI_PROJECT_NAME', name),
    yamlVariable('CI_PROJECT_TITLE', name),
    yamlVariable('CI_PROJECT_DESCRIPTION', ''),
    yamlVariable('CI_PROJECT_PATH', path),
    yamlVariable('CI_PROJECT_PATH_SLUG', slug(path)),
    yamlVariable('CI_PROJECT_NAMESPACE', namespace),
    yamlVariable('CI_PROJECT_NAMESPACE_SLUG', slug(namespace)),
    yamlVariable('CI_PROJECT_ROOT_NAMESPACE', namespace.split('/')[0] ?? ''),
    yamlVariable('CI_PROJECT_NAMESPACE_ID', String(idOfNamespace(project))),
    yamlVariable('CI_PROJECT_VISIBILITY', 'private'),
    yamlVariable('CI_PROJECT_REPOSITORY_LANGUAGES', ''),
    yamlVariable('CI_PROJECT_CLASSIFICATION_LABEL', ''),
    yamlVariable('GITLAB_FEATURES', ''),
    yamlVariable('CI_DEFAULT_BRANCH', options.gitFacts.defaultBranch),
    yamlVariable('CI_CONFIG_PATH', options.rootFile),
  ];
  if (server !== undefined) variables.push(yamlVariable('CI_PROJECT_URL', `${server.url}/${path}`));
  if (options.registry !== undefined) {
    variables.push(yamlVariable('CI_REGISTRY', options.registry));
    variables.push(yamlVariable('CI_REGISTRY_IMAGE', `${options.registry}/${path.toLowerCase()}`));
  }
  return variables;
}

/** Stays the same for all projects of a namespace only by chance of the hash; nothing local looks it up. */
function idOfNamespace(project: ProjectIdentity): number {
  return Math.max(1, project.id % 1_000_000);
}

/** Texts of the commit are raw: a `$` in a message is no reference. */
function commitVariables({ gitFacts }: CompileOptions): readonly PipelineVariable[] {
  const raw = (key: string, value: string): PipelineVariable => yamlVariable(key, value, true);
  const { text: message, isTruncated } = truncated(gitFacts.message);
  const title = message.split('\n', 1)[0] ?? '';
  const rest = message.slice(title.length).replace(/^\n+/, '');
  return [
    yamlVariable('CI_COMMIT_SHA', gitFacts.sha),
    yamlVariable('CI_COMMIT_SHORT_SHA', gitFacts.shortSha),
    yamlVariable('CI_COMMIT_BEFORE_SHA', gitFacts.beforeSha),
    raw('CI_COMMIT_MESSAGE', message),
    yamlVariable('CI_COMMIT_MESSAGE_IS_TRUNCATED', String(isTruncated)),
    raw('CI_COMMIT_TITLE', title),
    raw('CI_COMMIT_DESCRIPTION', title.length < MAX_TITLE_LENGTH ? rest : message),
    raw('CI_COMMIT_AUTHOR', gitFacts.author),
    yamlVariable('CI_COMMIT_TIMESTAMP', gitFacts.timestamp),
  ];
}

function truncated(message: string): { text: string; isTruncated: boolean } {
  const bytes = new TextEncoder().encode(message);
  if (bytes.byteLength <= MAX_MESSAGE_BYTES) return { text: message, isTruncated: false };
  return {
    text: new TextDecoder().decode(bytes.subarray(0, MAX_MESSAGE_BYTES)).replace(/\uFFFD$/, ''),
    isTruncated: true,
  };
}

function refVariables(options: CompileOptions): readonly PipelineVariable[] {
  const { gitFacts } = options;
  const variables = [
    yamlVariable('CI_COMMIT_REF_NAME', gitFacts.refName),
    yamlVariable('CI_COMMIT_REF_SLUG', slug(gitFacts.refName)),
    yamlVariable('CI_COMMIT_REF_PROTECTED', String(isProtected(options))),
  ];
  if (gitFacts.tag !== undefined) {
    variables.push(
      yamlVariable('CI_COMMIT_TAG', gitFacts.tag),
      yamlVariable('CI_COMMIT_TAG_MESSAGE', gitFacts.tagMessage, true),
    );
  } else if (gitFacts.branch !== undefined && options.mergeRequest === undefined) {
    variables.push(yamlVariable('CI_COMMIT_BRANCH', gitFacts.branch));
  }
  return variables;
}

function pipelineVariables(options: CompileOptions): readonly PipelineVariable[] {
  const source = pipelineSourceOf(options);
  const variables = [yamlVariable('CI_PIPELINE_SOURCE', source)];
  if (options.scheduleDescription !== undefined) {
    variables.push(yamlVariable('CI_PIPELINE_SCHEDULE_DESCRIPTION', options.scheduleDescription, true));
  }
  if (source === 'trigger') variables.push(yamlVariable('CI_PIPELINE_TRIGGERED', 'true'));
  if (options.triggerPayload !== undefined) {
    variables.push({ ...yamlVariable('TRIGGER_PAYLOAD', options.triggerPayload, true), file: true });
  }
  return variables;
}

/** `CI_PIPELINE_SOURCE` of the run. */
export function pipelineSourceOf(options: CompileOptions): string {
  return options.mergeRequest === undefined ? (options.source ?? 'push') : 'merge_request_event';
}

/** Variables that exist once the pipeline does (phase R), except a job's own. */
export function pipelinePhaseVariables(options: CompileOptions): readonly PipelineVariable[] {
  const variables: PipelineVariable[] = [];
  if (options.pipelineIid !== undefined) variables.push(yamlVariable('CI_PIPELINE_IID', String(options.pipelineIid)));
  if (options.createdAtMs !== undefined) {
    const created = new Date(options.createdAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
    variables.push(yamlVariable('CI_PIPELINE_CREATED_AT', created));
  }
  return variables;
}

/** `GITLAB_USER_*`, from git's user. */
export function userVariables({ gitFacts }: CompileOptions): readonly PipelineVariable[] {
  const login = gitFacts.userEmail.split('@')[0] ?? '';
  return [
    yamlVariable('GITLAB_USER_ID', String(gitFacts.userId)),
    yamlVariable('GITLAB_USER_LOGIN', login, true),
    yamlVariable('GITLAB_USER_EMAIL', gitFacts.userEmail, true),
    yamlVariable('GITLAB_USER_NAME', gitFacts.userName, true),
  ];
}
