import { join } from 'node:path';
import { CommandError } from '../../lib/errors.ts';
import { listFolder } from '../../platform/private-folder.ts';
import type { CommandOutput } from '../../platform/run-command.ts';
import { type Git, gitFailure, tryGit, userGit, withGit } from '../../platform/run-git.ts';
import { readIfPresent } from '../../platform/source-files.ts';
import { type GitConfig, readGitConfig } from './git-config.ts';

/** A checkout of the user, as found. Everything in it is only read. */
export interface SourceRepository {
  /** Git in the work tree, leaving no mark. */
  readonly git: Git;
  readonly workTree: string;
  readonly gitDirectory: string;
  /** Differs from `gitDirectory` in a linked worktree. */
  readonly commonDirectory: string;
  readonly objectsDirectory: string;
  readonly indexFile: string;
  readonly objectFormat: 'sha1' | 'sha256';
  /** Commits at the cut of a shallow clone; empty for a whole history. A partial clone counts as cut at HEAD. */
  readonly shallowCommits: readonly string[];
  /** A partial clone: only the files of HEAD are sure to be there. */
  readonly isPartial: boolean;
  /** Undefined before the first commit. */
  readonly headSha: string | undefined;
  readonly headTree: string | undefined;
  /** Committer date of HEAD in git's raw form: seconds since the epoch and offset. */
  readonly headDate: string | undefined;
  /** What else HEAD's commit says; empty before the first one. */
  readonly headCommit: HeadCommit;
  /** Git's settings here. */
  readonly config: GitConfig;
}

export interface HeadCommit {
  /** `Name <mail>` */
  readonly author: string;
  /** Committer date, ISO 8601 with offset. */
  readonly timestamp: string;
  readonly message: string;
}

const locationQuestions = [
  'rev-parse',
  '--path-format=absolute',
  '--show-toplevel',
  '--git-dir',
  '--git-common-dir',
  '--git-path',
  'objects',
  '--git-path',
  'index',
  '--show-object-format',
];

/**
 * Finds the checkout that a folder lies in.
 * @returns undefined where the folder is in no git repository.
 * @throws CommandError for a bare repository, one of another owner, or one that git cannot read.
 */
export async function findSourceRepository(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<SourceRepository | undefined> {
  const git = userGit(folder, env);
  // Answers are told apart by their text here; filters and hooks never see this locale.
  const plainGit = withGit(git, { LC_ALL: 'C' }, ['i18n.logOutputEncoding=UTF-8']);
  const [location, head, config] = await Promise.all([
    tryGit(plainGit, locationQuestions, signal),
    tryGit(plainGit, ['log', '-1', '--date=raw', '--format=%H%n%T%n%cd%n%an <%ae>%n%cI%n%B'], signal),
    readGitConfig(git, signal),
  ]);
  if (location.exitCode !== 0) {
    if (/not a git repository/i.test(location.stderr)) return undefined;
    if (/must be run in a work tree/i.test(location.stderr)) {
      throw new CommandError(`${folder} belongs to a bare git repository: a pipeline needs a work tree`, {
        exitCode: 2,
      });
    }
    throw gitFailure(locationQuestions, location.stderr);
  }
  const [headSha, headTree, headDate, author = '', timestamp = '', ...message] = await readHead(plainGit, head, signal);
  const described = await describe(git, location.stdout.toString('utf8'));
  const shallowCommits = described.isPartial && headSha !== undefined ? [headSha] : described.shallowCommits;
  const headCommit = { author, timestamp, message: message.join('\n') };
  return { ...described, shallowCommits, headSha, headTree, headDate, headCommit, config };
}

/** What HEAD's commit says, line by line; nothing only where it is certain that there is no commit yet. */
async function readHead(git: Git, log: CommandOutput, signal: AbortSignal): Promise<readonly (string | undefined)[]> {
  if (log.exitCode === 0) return log.stdout.toString('utf8').replace(/\n$/, '').split('\n');
  const { exitCode } = await tryGit(git, ['rev-parse', '--verify', '--quiet', 'HEAD'], signal);
  if (exitCode === 0) throw gitFailure(['log'], log.stderr);
  return [];
}

async function describe(
  git: Git,
  location: string,
): Promise<Omit<SourceRepository, 'headSha' | 'headTree' | 'headDate' | 'headCommit' | 'config'>> {
  const [workTree, gitDirectory, commonDirectory, objectsDirectory, indexFile, format] = location.split('\n');
  if (!workTree || !gitDirectory || !commonDirectory || !objectsDirectory || !indexFile) {
    throw new CommandError('git does not say where the repository is; it must be 2.31 or later', { exitCode: 2 });
  }
  const shallow = await readIfPresent(join(commonDirectory, 'shallow'));
  return {
    git: { ...git, cwd: workTree },
    workTree,
    gitDirectory,
    commonDirectory,
    objectsDirectory,
    indexFile,
    objectFormat: format?.startsWith('sha256') ? 'sha256' : 'sha1',
    isPartial: listFolder(join(objectsDirectory, 'pack')).some((name) => name.endsWith('.promisor')),
    shallowCommits: (shallow?.toString('latin1') ?? '').split('\n').filter((line) => line !== ''),
  };
}
