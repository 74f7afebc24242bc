import { CommandError } from '../../lib/errors.ts';
import { readGit, splitNul, tryGit } from '../../platform/run-git.ts';
import type { ChangedFiles, ChangedPaths } from '../ports.ts';
import type { SourceRepository } from './source-repository.ts';

/** Where comparisons start when a `changes` clause does not say (spec local-pipeline.md §8.1). */
export interface ChangesBase {
  /** Asked for by the user; goes before everything. */
  readonly asked: string | undefined;
  readonly defaultBranch: string;
}

/** Compares the work tree, with what is not committed or tracked yet, with an earlier state. */
export function changedFiles(repository: SourceRepository | undefined, base: ChangesBase): ChangedFiles {
  return {
    compare: async (compareTo, signal) => {
      if (repository?.headSha === undefined) return { kind: 'unknown_base' };
      const wanted = base.asked ?? compareTo;
      const start =
        wanted === undefined
          ? await defaultStart(repository, base.defaultBranch, signal)
          : await sharedCommit(repository, [`refs/remotes/origin/${shortName(wanted)}`, wanted], signal);
      if (start !== undefined) return await pathsSince(repository, start, signal);
      if (base.asked !== undefined) {
        throw new CommandError(`--changes-base ${base.asked}: there is no such commit, branch or tag`, { exitCode: 2 });
      }
      return { kind: wanted === undefined ? 'unknown_base' : 'unknown_ref' };
    },
  };
}

/** Where the branch left its upstream, else the default branch. */
async function defaultStart(
  repository: SourceRepository,
  defaultBranch: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const candidates = ['@{upstream}', `refs/remotes/origin/${defaultBranch}`, `refs/heads/${defaultBranch}`];
  const [head, start] = await Promise.all([
    tryGit(repository.git, ['symbolic-ref', '--quiet', 'HEAD'], signal),
    sharedCommit(repository, candidates, signal),
  ]);
  // On the default branch itself, without upstream, every comparison would be with HEAD.
  const isDefault = head.stdout.toString('utf8').trim() === `refs/heads/${defaultBranch}`;
  if (!isDefault || start !== repository.headSha) return start;
  return (await sharedCommit(repository, candidates.slice(0, 2), signal)) ?? undefined;
}

/** The merge base of HEAD and the first ref that exists. */
async function sharedCommit(
  repository: SourceRepository,
  refs: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const ref of refs.filter((name) => !name.startsWith('-'))) {
    const found = await tryGit(repository.git, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], signal);
    if (found.exitCode !== 0) continue;
    const commit = found.stdout.toString('latin1').trim();
    const shared = await tryGit(repository.git, ['merge-base', 'HEAD', commit], signal);
    return shared.exitCode === 0 ? shared.stdout.toString('latin1').trim() : commit;
  }
  return undefined;
}

async function pathsSince(repository: SourceRepository, start: string, signal: AbortSignal): Promise<ChangedPaths> {
  const { git } = repository;
  const [changed, untracked] = await Promise.all([
    readGit(git, ['diff', '--name-only', '--no-renames', '--no-ext-diff', '--no-textconv', '-z', start, '--'], signal),
    readGit(git, ['ls-files', '--others', '--exclude-standard', '-z'], signal),
  ]);
  const paths = new Set([...splitNul(changed), ...splitNul(untracked)]);
  return { kind: 'paths', paths: [...paths].map((path) => Buffer.from(path, 'latin1').toString('utf8')) };
}

function shortName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '').replace(/^origin\//, '');
}
