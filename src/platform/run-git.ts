import { devNull } from 'node:os';
import { CommandError } from '../lib/errors.ts';
import { type Command, type CommandOutput, runCommand } from './run-command.ts';

/** How git is called: where, with which environment, and with settings that outrank every config file. */
export interface Git {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `name=value` */
  readonly settings: readonly string[];
}

/** Variables that tie git to one repository; a hook that calls us has them set. */
const repositoryVariables: readonly string[] = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_DIR',
  'GIT_GRAFT_FILE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_INTERNAL_SUPER_PREFIX',
  'GIT_LITERAL_PATHSPECS',
  'GIT_NAMESPACE',
  'GIT_NO_REPLACE_OBJECTS',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_QUARANTINE_PATH',
  'GIT_REPLACE_REF_BASE',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
];

/** The settings under which reading a user's repository leaves no mark on it. */
const quietSettings: readonly string[] = [
  'core.fsmonitor=false',
  `core.hooksPath=${devNull}`,
  'core.splitIndex=false',
  'core.quotePath=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'submodule.recurse=false',
  'color.ui=false',
  'log.showSignature=false',
];

function baseEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(
    ([name]) => !repositoryVariables.includes(name) && !name.startsWith('GIT_TRACE'),
  );
  return {
    ...Object.fromEntries(kept),
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
  };
}

/** Git for reading a user's repository, with the user's own settings (filters, excludes) and no side effect. */
export function userGit(cwd: string, env: Readonly<Record<string, string | undefined>>): Git {
  return { cwd, env: baseEnvironment(env), settings: quietSettings };
}

/** Git for a repository of ours: no config of the user or the system has a say. */
export function ownGit(directory: string, env: Readonly<Record<string, string | undefined>>): Git {
  const isConfig = (name: string): boolean => name.startsWith('GIT_CONFIG');
  const kept = Object.fromEntries(Object.entries(baseEnvironment(env)).filter(([name]) => !isConfig(name)));
  return {
    cwd: directory,
    env: { ...kept, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: devNull, GIT_DIR: directory },
    settings: ['gc.auto=0', 'maintenance.auto=false'],
  };
}

/** The same git with more variables and settings. */
export function withGit(git: Git, env: Readonly<Record<string, string>>, settings: readonly string[] = []): Git {
  return { cwd: git.cwd, env: { ...git.env, ...env }, settings: [...git.settings, ...settings] };
}

export function gitCommand(git: Git, args: readonly string[]): Command {
  const settings = git.settings.flatMap((setting) => ['-c', setting]);
  return { file: 'git', args: [...settings, ...args], cwd: git.cwd, env: git.env };
}

/** Runs git; its exit code is for the caller to judge. */
export async function tryGit(
  git: Git,
  args: readonly string[],
  signal: AbortSignal,
  input: string | Uint8Array = '',
): Promise<CommandOutput> {
  return await runCommand(gitCommand(git, args), signal, input);
}

/**
 * Runs git and returns what it prints.
 * @throws CommandError with git's own words when it fails.
 */
export async function readGit(
  git: Git,
  args: readonly string[],
  signal: AbortSignal,
  input: string | Uint8Array = '',
): Promise<Buffer> {
  const output = await tryGit(git, args, signal, input);
  if (output.exitCode !== 0) throw gitFailure(args, output.stderr);
  return output.stdout;
}

export function gitFailure(args: readonly string[], stderr: string): CommandError {
  const said = stderr.trim();
  return new CommandError(`git ${args[0] ?? ''} failed${said === '' ? '' : `: ${said}`}`, { exitCode: 2 });
}

/** Splits what `-z` prints; names stay bytes (latin1 text), they need not be UTF-8. */
export function splitNul(bytes: Buffer): readonly string[] {
  const parts = bytes.toString('latin1').split('\0');
  parts.pop();
  return parts;
}
