import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The single executable that `npm run build` made. */
export const executable = fileURLToPath(new URL('../../../dist/millrace', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function runProgram(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string | undefined>> } = {},
): Ended {
  const [program = '', ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(program, args, { ...options, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}

/** What `--version` prints: six labelled lines. */
export const versionPattern = /^(Name|Version|Compatible|Git revision|Node version|OS\/Arch): +\S.*$/gm;
