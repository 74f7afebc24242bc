import { basename } from 'node:path';
import { redactUrlCredentials } from '../../lib/redact.ts';
import { processAccount } from '../../platform/account.ts';
import { type Git, readGit, tryGit, userGit } from '../../platform/run-git.ts';
import { realPath } from '../../platform/source-files.ts';
import { type GitConfig, readGitConfig } from './git-config.ts';
import type { GitFacts } from './git-facts.ts';
import { readHeadRefs } from './head-refs.ts';
import { parseRemoteUrl } from './remote-address.ts';
import { findSourceRepository, type SourceRepository } from './source-repository.ts';

export interface GitFactsRequest {
  /** The work tree or a folder in it. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tag of a simulated tag pipeline. */
  readonly tag?: string | undefined;
  /** Branch to pretend to be on. */
  readonly branch?: string | undefined;
}

export interface GitReading {
  /** Undefined where the folder is in no repository. */
  readonly repository: SourceRepository | undefined;
  readonly facts: GitFacts;
}

const noRefs = { head: '', originHead: '', upstream: '' };

/**
 * Reads what git knows about a checkout. The questions are asked side by side, from the moment of the call on.
 * @throws CommandError where git is missing or refuses.
 */
export async function readGitFacts(request: GitFactsRequest, signal: AbortSignal): Promise<GitReading> {
  const git = userGit(request.folder, request.env);
  const repository = await findSourceRepository(request.folder, request.env, signal);
  const config = repository?.config ?? (await readGitConfig(git, signal));
  const refs = repository === undefined ? noRefs : await readHeadRefs(repository, signal);
  const defaultBranch = defaultBranchOf(refs.originHead, config);
  const branch = request.branch ?? (await currentBranch(repository, git, refs.head, defaultBranch, signal));
  const tagMessage = request.tag === undefined ? '' : await readTagMessage(git, request.tag, signal);
  const remoteUrl = remoteUrlOf(config);
  const noSha = '0'.repeat(repository?.objectFormat === 'sha256' ? 64 : 40);
  const { author, timestamp, message } = repository?.headCommit ?? { author: '', timestamp: '', message: '' };
  const sha = repository?.headSha ?? noSha;
  const workTree = repository?.workTree ?? (await realPath(request.folder));
  const facts: GitFacts = {
    workTree,
    isRepository: repository !== undefined,
    sha,
    shortSha: sha.slice(0, 8),
    headSha: repository?.headSha,
    branch: request.tag === undefined ? branch : undefined,
    tag: request.tag,
    tagMessage,
    refName: request.tag ?? branch,
    beforeSha: refs.upstream === '' ? noSha : refs.upstream,
    message,
    author,
    timestamp: timestamp === '' ? new Date().toISOString() : timestamp,
    remoteUrl: remoteUrl === undefined ? undefined : redactUrlCredentials(remoteUrl),
    remote: remoteUrl === undefined ? undefined : parseRemoteUrl(remoteUrl),
    defaultBranch,
    userName: config.get('user.name')?.at(-1) ?? '',
    userEmail: config.get('user.email')?.at(-1) ?? '',
    userId: processAccount().userId ?? 0,
    objectFormat: repository?.objectFormat ?? 'sha1',
    folderName: basename(workTree),
  };
  return { repository, facts };
}

/** The facts of a pipeline that checks out another commit than HEAD: its snapshot. */
export function factsOfSnapshot(facts: GitFacts, sha: string): GitFacts {
  return { ...facts, sha, shortSha: sha.slice(0, 8) };
}

/** What git prints, empty where it has no answer. */
async function readText(git: Git, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { exitCode, stdout } = await tryGit(git, args, signal);
  return exitCode === 0 ? stdout.toString('utf8').replace(/\n$/, '') : '';
}

function defaultBranchOf(originHead: string, config: GitConfig): string {
  const prefix = 'refs/remotes/origin/';
  if (originHead.startsWith(prefix)) return originHead.slice(prefix.length);
  return config.get('init.defaultbranch')?.at(-1) ?? 'main';
}

/** With a detached HEAD a branch that points at it, the default one first; else `HEAD`. */
async function currentBranch(
  repository: SourceRepository | undefined,
  git: Git,
  head: string,
  defaultBranch: string,
  signal: AbortSignal,
): Promise<string> {
  if (repository === undefined) return defaultBranch;
  if (head.startsWith('refs/heads/')) return head.slice('refs/heads/'.length);
  const args = ['for-each-ref', '--points-at=HEAD', '--format=%(refname)', 'refs/heads', 'refs/remotes/origin'];
  const names = (await readGit(git, args, signal))
    .toString('utf8')
    .split('\n')
    .map((name) => name.replace(/^refs\/(heads|remotes\/origin)\//, ''))
    .filter((name) => name !== '' && name !== 'HEAD');
  return names.includes(defaultBranch) ? defaultBranch : (names[0] ?? 'HEAD');
}

async function readTagMessage(git: Git, tag: string, signal: AbortSignal): Promise<string> {
  const args = ['for-each-ref', '--format=%(objecttype)%0a%(contents)', `refs/tags/${tag}`];
  const text = await readText(git, args, signal);
  return text.startsWith('tag\n') ? text.slice('tag\n'.length).trimEnd() : '';
}

/** URL of `origin`, else of the only remote, as `url.<base>.insteadOf` rewrites it. */
function remoteUrlOf(config: GitConfig): string | undefined {
  const remotes = [...config.keys()].filter((name) => /^remote\..+\.url$/.test(name));
  const only = remotes.length === 1 ? remotes[0] : undefined;
  const name = remotes.includes('remote.origin.url') ? 'remote.origin.url' : only;
  const url = name === undefined ? undefined : config.get(name)?.[0];
  return url === undefined ? undefined : rewritten(url, config);
}

function rewritten(url: string, config: GitConfig): string {
  let longest = '';
  let result = url;
  for (const [name, prefixes] of config) {
    const base = /^url\.(.+)\.insteadof$/.exec(name)?.[1];
    if (base === undefined) continue;
    for (const prefix of prefixes) {
      if (prefix.length <= longest.length || !url.startsWith(prefix)) continue;
      longest = prefix;
      result = base + url.slice(prefix.length);
    }
  }
  return result;
}
