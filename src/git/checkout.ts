import { git, notice, when } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { proactiveOptions } from './fetch.ts';
import type { GitContext } from './git-context.ts';

/** Checks the job's commit out and pulls its LFS files (spec job-execution.md §18 "Checkout", "LFS"). */
export function planCheckout(context: GitContext): readonly ScriptOperation[] {
  const { settings, sha, ref } = context;
  if (!settings.gitCheckout) return [notice('Skipping Git checkout')];
  return [
    notice(`Checking out ${sha.slice(0, 8)} as detached HEAD (ref is ${ref})...`),
    git('-c', 'submodule.recurse=false', ...proactiveOptions(context), 'checkout', '-f', '-q', sha),
    ...(settings.gitCleanFlags === undefined ? [] : [git('clean', ...settings.gitCleanFlags)]),
    ...(settings.lfsSkipSmudge ? [] : [pullLfsFiles()]),
  ];
}

function pullLfsFiles(): ScriptOperation {
  return when({ test: 'succeeds', command: 'git', arguments: ['lfs', 'version'], silent: true }, [
    git('lfs', 'pull'),
    { op: 'emptyLine' },
  ]);
}
