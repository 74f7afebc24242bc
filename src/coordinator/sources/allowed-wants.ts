import { type Git, readGit, tryGit } from '../../platform/run-git.ts';
import type { RepositoryAnswers } from './repository-answers.ts';

/**
 * The first of some object ids that a job may not have: what is neither the tip of a served ref nor a commit in its
 * history. The repository borrows all objects of the user's, and git's protocol version 2 would hand out any of them.
 */
export async function findForbiddenWant(
  git: Git,
  wants: readonly string[],
  answers: RepositoryAnswers,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (wants.length === 0) return undefined;
  const tips = await answers.tips(async () => await readTips(git, signal));
  const others = [...new Set(wants)].filter((want) => !tips.has(want));
  if (others.length === 0) return undefined;
  const input = others.map((want) => `${want}\n`).join('');
  const kinds = (
    await readGit(git, ['cat-file', '--batch-check=%(objectname) %(objecttype)'], signal, input)
  ).toString();
  for (const [index, line] of kinds.trimEnd().split('\n').entries()) {
    if (!line.endsWith(' commit')) return others[index];
  }
  const outside = `${others.join('\n')}\n^HEAD\n`;
  const listed = await tryGit(git, ['rev-list', '--max-count=1', '--stdin'], signal, outside);
  const isInHistory = listed.exitCode === 0 && listed.stdout.length === 0;
  return isInHistory ? undefined : others[0];
}

/** What HEAD and the refs point to. */
export async function readTips(git: Git, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const listed = await readGit(git, ['show-ref', '--head'], signal);
  const lines = listed.toString('latin1').trimEnd().split('\n');
  return new Set(lines.map((line) => line.slice(0, line.indexOf(' '))));
}
