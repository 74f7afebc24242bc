import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root folder of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program of node_modules/.bin (or of the machine) in the checkout, its output on ours. @returns its exit code. */
export function run(command: string, args: readonly string[]): number {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.error !== undefined) throw result.error;
  return result.status ?? 1;
}

/** As `run`, and gives its standard output back. */
export function runForOutput(
  command: string,
  args: readonly string[],
): { readonly status: number; readonly stdout: string } {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.error !== undefined) throw result.error;
  return { status: result.status ?? 1, stdout: result.stdout };
}

/** A path inside the checkout. */
export function inRoot(...parts: readonly string[]): string {
  return join(root, ...parts);
}
