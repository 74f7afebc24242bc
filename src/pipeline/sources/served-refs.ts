import type { ServedRef } from '../../platform/bare-repository.ts';
import { type Git, readGit, tryGit } from '../../platform/run-git.ts';
import type { SourceRepository } from './source-repository.ts';

const originPrefix = 'refs/remotes/origin/';

/** What the pipeline runs for, as far as refs are concerned. */
export interface RefWishes {
  /** Branch of the pipeline; the snapshot is its tip. */
  readonly branch: string | undefined;
  /** Tag of the pipeline. */
  readonly tag: string | undefined;
  readonly defaultBranch: string | undefined;
}

/**
 * The refs of the user's repository that lie in the history of HEAD: branches (as the remote has them, where it has)
 * and tags. The default branch is served in any case, as far as HEAD's history shares it, so that
 * `git diff origin/main...` works in jobs.
 */
export async function findHistoryRefs(
  repository: SourceRepository,
  wishes: RefWishes,
  signal: AbortSignal,
): Promise<readonly ServedRef[]> {
  const { git, headSha } = repository;
  // Of a partial clone's history, objects may be missing.
  if (headSha === undefined || repository.isPartial) return [];
  const merged = await readMergedRefs(git, headSha, signal);
  const base = await sharedDefaultBranch(repository, headSha, wishes.defaultBranch, merged, signal);
  const refs = new Map<string, string>();
  if (base !== undefined) refs.set(`refs/heads/${wishes.defaultBranch}`, base);
  for (const { name, sha } of merged) {
    if (name.startsWith('refs/heads/') || name.startsWith('refs/tags/')) refs.set(name, sha);
  }
  for (const { name, sha } of merged) {
    if (name.startsWith(originPrefix) && name !== `${originPrefix}HEAD`) {
      refs.set(`refs/heads/${name.slice(originPrefix.length)}`, sha);
    }
  }
  return [...refs].map(([name, sha]) => ({ name, sha }));
}

/** Adds the refs that name the snapshot itself. */
export function withSnapshotRefs(
  history: readonly ServedRef[],
  wishes: RefWishes,
  snapshotSha: string,
  headSha: string | undefined,
): readonly ServedRef[] {
  const refs = new Map(history.map(({ name, sha }) => [name, sha]));
  if (wishes.branch !== undefined) refs.set(`refs/heads/${wishes.branch}`, snapshotSha);
  const tag = `refs/tags/${wishes.tag}`;
  // A tag of the pipeline stays the object it is, unless the snapshot has more than its commit.
  const isTagged = refs.has(tag) && snapshotSha === headSha;
  if (wishes.tag !== undefined && !isTagged) refs.set(tag, snapshotSha);
  return [...refs].map(([name, sha]) => ({ name, sha }));
}

async function readMergedRefs(git: Git, headSha: string, signal: AbortSignal): Promise<readonly ServedRef[]> {
  const places = ['refs/heads', 'refs/tags', 'refs/remotes/origin'];
  const args = ['for-each-ref', `--merged=${headSha}`, '--format=%(objectname) %(refname)', ...places];
  const listed = (await readGit(git, args, signal)).toString('utf8');
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ sha: line.slice(0, line.indexOf(' ')), name: line.slice(line.indexOf(' ') + 1) }));
}

/** Where HEAD left the default branch, by the remote's state of it where that is known. */
async function sharedDefaultBranch(
  { git, config }: SourceRepository,
  headSha: string,
  branch: string | undefined,
  merged: readonly ServedRef[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (branch === undefined) return undefined;
  const hasRemote = [...config.keys()].some((name) => name.startsWith('remote.'));
  const candidates = [...(hasRemote ? [`${originPrefix}${branch}`] : []), `refs/heads/${branch}`];
  for (const ref of candidates) {
    const whole = merged.find(({ name }) => name === ref);
    if (whole !== undefined) return whole.sha;
    const { exitCode, stdout } = await tryGit(git, ['merge-base', headSha, ref], signal);
    if (exitCode === 0) return stdout.toString('latin1').trim();
  }
  return undefined;
}
