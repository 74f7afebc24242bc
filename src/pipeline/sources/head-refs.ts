import { join } from 'node:path';
import { type Git, tryGit } from '../../platform/run-git.ts';
import { readIfPresent } from '../../platform/source-files.ts';
import type { SourceRepository } from './source-repository.ts';

/** What hangs on HEAD; empty where there is none. */
export interface HeadRefs {
  /** Full name of the branch that HEAD points to. */
  readonly head: string;
  /** Full name that `refs/remotes/origin/HEAD` points to. */
  readonly originHead: string;
  /** Commit of the current branch's upstream. */
  readonly upstream: string;
}

/** What HEAD's file holds where refs are kept in tables instead of files. */
const placeholder = 'refs/heads/.invalid';

/**
 * Reads where HEAD and the remote's HEAD point to. Git keeps symbolic refs in files of their own, so reading those
 * spares processes; git is asked where refs are in tables, and for the upstream of a branch that has one.
 */
export async function readHeadRefs(repository: SourceRepository, signal: AbortSignal): Promise<HeadRefs> {
  const { git, gitDirectory, commonDirectory } = repository;
  const headInFile = await readSymbolicRef(join(gitDirectory, 'HEAD'));
  const isInFiles = headInFile !== placeholder;
  const [head, originHead] = isInFiles
    ? [headInFile, await readSymbolicRef(join(commonDirectory, 'refs', 'remotes', 'origin', 'HEAD'))]
    : await Promise.all([
        readText(git, ['symbolic-ref', '--quiet', 'HEAD'], signal),
        readText(git, ['symbolic-ref', '--quiet', 'refs/remotes/origin/HEAD'], signal),
      ]);
  const upstream = hasUpstream(repository, head)
    ? await readText(git, ['rev-parse', '--verify', '--quiet', '@{upstream}^{commit}'], signal)
    : '';
  return { head, originHead, upstream };
}

async function readSymbolicRef(file: string): Promise<string> {
  const content = (await readIfPresent(file))?.toString('utf8') ?? '';
  return /^ref:\s*(.*\S)\s*$/s.exec(content)?.[1] ?? '';
}

function hasUpstream({ config }: SourceRepository, head: string): boolean {
  const branch = head.replace(/^refs\/heads\//, '');
  return head !== '' && config.has(`branch.${branch}.merge`);
}

async function readText(git: Git, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { exitCode, stdout } = await tryGit(git, args, signal);
  return exitCode === 0 ? stdout.toString('utf8').replace(/\n$/, '') : '';
}
