import { runCommand } from '../../platform/run-command.ts';
import { pathText } from '../archive-path.ts';

/**
 * Asks git for the files below a directory that it does not track, ignored ones included.
 * @param reportOutput gets what git writes to standard error.
 * @throws where git is missing or fails.
 */
export async function listUntracked(
  root: string,
  options: {
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly reportOutput: (text: string) => void;
  },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const command = { file: 'git', args: ['ls-files', '-o', '-z'], cwd: root, env: options.environment };
  const { exitCode, signal: endSignal, stderr, stdout } = await runCommand(command, signal);
  if (stderr !== '') options.reportOutput(stderr);
  if (exitCode !== 0) throw new Error(endSignal === null ? `exit status ${exitCode}` : `signal: ${endSignal}`);
  return splitAtZero(stdout);
}

function splitAtZero(bytes: Buffer): readonly string[] {
  const names: string[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    names.push(pathText(bytes.subarray(start, end)));
    start = end + 1;
  }
  return names;
}
