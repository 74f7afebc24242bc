import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { isAbsolutePath } from '../script/paths.ts';
import { exportLines } from './posix-exports.ts';
import { markFunction } from './posix-marks.ts';
import { selectQuote } from './posix-quoting.ts';
import { PosixWriter } from './posix-writer.ts';
import type { StageExports } from './stage-exports.ts';

/** A stage for bash and its POSIX relatives (spec shells.md §3). */
export function posixScript(
  stage: StagePlan,
  plan: BuildPlan,
  shell: 'bash' | 'sh',
  exports: StageExports | undefined,
): string {
  const quote = selectQuote(shell, plan.script.posixEscapes);
  const { root } = plan.directories;
  const outputMark = plan.script.debugTrace ? '' : plan.script.outputMark;
  const writer = new PosixWriter({
    quote,
    exitCodeCheck: plan.script.exitCodeCheck,
    relativeRoot: isAbsolutePath(root) ? undefined : root,
    marks: outputMark !== '',
  });
  if (!isAbsolutePath(root)) writer.line('__millrace_cwd=$PWD');
  if (outputMark !== '' && stage.operations.some(({ op }) => op === 'userCommand')) {
    for (const line of markFunction(outputMark)) writer.line(line);
  }
  if (exports !== undefined) exportLines(exports, writer);
  writer.operations(stage.operations);
  return frame(shell, quote(`unset ${bodyVariable}\n${writer.text()}`), plan);
}

/** Holds the stage's text until it runs. */
const bodyVariable = '__millrace_script';

/**
 * The outer shell reads one line, the inner one runs the stage: what the user's commands do to their shell does not
 * reach the outer one, and they find an empty standard input instead of the rest of the script. Without the traps
 * some versions of bash print the script, secrets and all, when they are killed; and any bash prints the command whose
 * shell was killed, so that command holds no more than a variable's name.
 */
function frame(shell: string, body: string, { script }: BuildPlan): string {
  const evaluation = `eval "$${bodyVariable}"`;
  const run = script.legacyBashEval ? `: | ${evaluation}` : `(trap 'exit 1' TERM; ${evaluation}) < /dev/null`;
  return [
    `#!/usr/bin/env ${shell}`,
    '',
    "trap 'exit 1' TERM",
    '',
    `${bodyVariable}=${body}`,
    ...(script.debugTrace ? ['set -o xtrace'] : []),
    `case "$(set -o)" in *"pipefail"*) set -o pipefail;; esac; set -o errexit`,
    'set +o noclobber',
    run,
    'exit 0',
    '',
  ].join('\n');
}
