import { type Git, readGit, withGit } from '../../platform/run-git.ts';
import type { SourceRepository } from './source-repository.ts';

const identity = 'Millrace';
const email = 'millrace@localhost';
/** Date of a snapshot that no commit precedes. */
const firstDate = '0 +0000';

/**
 * Turns a private index into the commit that jobs check out: HEAD itself where nothing differs from it, otherwise a
 * child of HEAD. Everything in the child follows from HEAD and the content, so equal content has an equal id.
 */
export async function commitSnapshot(
  repository: Pick<SourceRepository, 'headSha' | 'headTree' | 'headDate'>,
  git: Git,
  signal: AbortSignal,
): Promise<string> {
  const tree = (await readGit(git, ['write-tree'], signal)).toString('latin1').trim();
  if (repository.headSha !== undefined && tree === repository.headTree) return repository.headSha;
  const parents = repository.headSha === undefined ? [] : ['-p', repository.headSha];
  const date = `@${repository.headDate ?? firstDate}`;
  const dated = withGit(
    git,
    {
      GIT_AUTHOR_NAME: identity,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: identity,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: date,
    },
    ['i18n.commitEncoding=UTF-8'],
  );
  const base = repository.headSha === undefined ? '' : ` on top of ${repository.headSha.slice(0, 8)}`;
  const message = `Snapshot of the work tree${base}\n`;
  return (await readGit(dated, ['commit-tree', tree, ...parents], signal, message)).toString('latin1').trim();
}
