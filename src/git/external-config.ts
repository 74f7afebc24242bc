import { expandedCommand, git, makeDirectory, notice, removeFile, when } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { isAbsolutePath } from '../script/paths.ts';
import { credentialHelperEntries } from './credentials.ts';
import { formatGitConfig, type GitConfigEntry } from './git-config-text.ts';
import { type GitContext, hasNoSources } from './git-context.ts';
import { externalConfigVariable, gitFiles, reference } from './git-files.ts';

export function templateDirectory(context: GitContext): string {
  return `${context.temporaryDirectory}/${gitFiles.template}`;
}

function externalConfigPath(context: GitContext): string {
  return `${context.temporaryDirectory}/${gitFiles.external}`;
}

/**
 * Makes the template of new repositories and the configuration they include. Credentials and addresses live outside
 * the project, where artifacts and images made from it cannot take them along. Both files are written as text: one
 * git process less for each entry.
 */
export function planTemplate(context: GitContext): readonly ScriptOperation[] {
  const template = templateDirectory(context);
  const external = externalConfigPath(context);
  const templateText = formatGitConfig([
    { section: 'init', name: 'defaultBranch', value: 'none' },
    { section: 'fetch', name: 'recurseSubmodules', value: 'false' },
    { section: 'credential', name: 'interactive', value: 'never' },
    { section: 'gc', name: 'autoDetach', value: 'false' },
    { section: 'include', name: 'path', value: includePath(external, context) },
  ]);
  return [
    makeDirectory(template),
    ...(context.safeDirectory ? [trustDirectory(context.projectDirectory)] : []),
    { op: 'writeFile', path: `${template}/config`, content: templateText },
    removeFile(external),
    { op: 'writeFile', path: external, content: formatGitConfig(externalEntries(context)) },
    ...(sendsCorrelationId(context) ? [notice(`Gitaly correlation ID: ${context.correlationId}`)] : []),
    ...relativeTlsCommands(context, external),
    { op: 'export', key: externalConfigVariable, value: external },
  ];
}

/** Seen from `.git/config`, where git takes a relative path as relative to that file. */
function includePath(external: string, context: GitContext): string {
  if (isAbsolutePath(external)) return external;
  const name = context.temporaryDirectory.slice(context.temporaryDirectory.lastIndexOf('/') + 1);
  return `../../${name}/${gitFiles.external}`;
}

/** Adds the directory once, however many jobs use it. */
function trustDirectory(directory: string): ScriptOperation {
  return git(
    'config',
    '--global',
    '--replace-all',
    'safe.directory',
    directory,
    `^${quoteRegularExpression(directory)}$`,
  );
}

function externalEntries(context: GitContext): readonly GitConfigEntry[] {
  const host = context.remote.host;
  return [
    ...(sendsCorrelationId(context)
      ? [{ section: 'http', name: 'extraHeader', value: `X-Gitaly-Correlation-ID: ${context.correlationId}` }]
      : []),
    ...(context.bundleUris ? [{ section: 'transfer', name: 'bundleURI', value: 'true' }] : []),
    ...(context.sharedEnvironment && host !== undefined
      ? context.tls
          .filter(({ path }) => isAbsolutePath(path))
          .map(({ name, path }) => ({ section: 'http', subsection: host, name, value: path }))
      : []),
    ...context.remote.rewrites.map(({ to, from }) => ({
      section: 'url',
      subsection: to,
      name: 'insteadOf',
      value: from,
    })),
    ...(context.urlsWithToken ? [] : credentialHelperEntries(context.remote)),
  ];
}

function sendsCorrelationId(context: GitContext): boolean {
  return context.sendCorrelationId && context.correlationId !== '';
}

/** With a relative builds directory only the running shell knows where the TLS files are. */
function relativeTlsCommands(context: GitContext, external: string): readonly ScriptOperation[] {
  const { host } = context.remote;
  if (!context.sharedEnvironment || host === undefined) return [];
  return context.tls
    .filter(({ path }) => !isAbsolutePath(path))
    .map(({ name, variable }) =>
      expandedCommand('git', 'config', '-f', external, `http.${host}.${name}`, reference(variable)),
    );
}

/** TLS settings for everything git does in an environment that ends with the job. */
export function planGlobalTls(context: GitContext): readonly ScriptOperation[] {
  const { host } = context.remote;
  if (context.sharedEnvironment || host === undefined) return [];
  return context.tls.map(({ name, variable }) =>
    expandedCommand('git', 'config', '--global', `http.${host}.${name}`, reference(variable)),
  );
}

/**
 * FF_GIT_URLS_WITHOUT_TOKENS: the file that GIT_CONFIG_GLOBAL names. It includes what git would have read as global
 * configuration; an unreadable file would make git fail, so each is tested first.
 */
export function planGlobalSeed(context: GitContext): readonly ScriptOperation[] {
  if (context.urlsWithToken) return [];
  const seed = `${context.temporaryDirectory}/${gitFiles.globalSeed}`;
  const external = externalConfigPath(context);
  const include = (path: string): ScriptOperation =>
    expandedCommand('git', 'config', '--file', seed, '--add', 'include.path', path);
  return [
    removeFile(seed),
    ...['$HOME/.gitconfig', '$HOME/.config/git/config'].map((path) =>
      when({ test: 'isReadable', path }, [include(path)]),
    ),
    git('config', '--file', seed, '--add', 'include.path', gitFiles.external),
    ...(hasNoSources(context) ? [removeFile(external), writeExternalHelper(external, context)] : []),
  ];
}

function writeExternalHelper(external: string, context: GitContext): ScriptOperation {
  return { op: 'writeFile', path: external, content: formatGitConfig(credentialHelperEntries(context.remote)) };
}

/** A text as it stands, in the regular expressions that git understands. */
export function quoteRegularExpression(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
