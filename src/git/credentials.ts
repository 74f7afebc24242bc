import { when } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import type { GitConfigEntry } from './git-config-text.ts';
import { type GitContext, hasNoSources } from './git-context.ts';
import type { Remote } from './remote.ts';

export const jobTokenUser = 'gitlab-ci-token';

const answerWithJobToken = `!answer() { if test "$1" = get; then printf 'password=%s\\n' "$CI_JOB_TOKEN"; fi; }; answer`;

/** Entries that let git ask the job's environment for the token instead of finding it in a URL. */
export function credentialHelperEntries(remote: Remote): readonly GitConfigEntry[] {
  const subsection = remote.host;
  if (subsection === undefined) return [];
  return [
    { section: 'credential', subsection, name: 'helper', value: '' },
    { section: 'credential', subsection, name: 'helper', value: answerWithJobToken },
    { section: 'credential', subsection, name: 'username', value: jobTokenUser },
  ];
}

/**
 * Makes credential helpers of the environment forget the job's token once the sources are fetched, and what a script
 * of an earlier job made them store. Without a configured helper there is nothing to forget: git is asked for one
 * first. Nothing of this is repeated at the end of the job, which would cost every job a process; by then the token
 * is worthless.
 */
export function planCredentialReject(context: GitContext): readonly ScriptOperation[] {
  const reject = rejectOperation(context.remote);
  if (reject === undefined || hasNoSources(context)) return [];
  const listsHelper = ['config', '--get-regexp', String.raw`^credential\.(.*\.)?helper$`];
  return [when({ test: 'succeeds', command: 'git', arguments: listsHelper, silent: true }, [reject])];
}

function rejectOperation({ host, scheme }: Remote): ScriptOperation | undefined {
  if (host === undefined || !['http', 'https', 'ssh'].includes(scheme)) return undefined;
  return {
    op: 'commandWithInput',
    input: `url=${host}\nusername=${jobTokenUser}`,
    command: 'git',
    arguments: ['credential', 'reject'],
    bestEffort: true,
  };
}
