import { errorMessage, systemErrorCode } from '../lib/errors.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { product } from './product.ts';

/**
 * Says what nobody foresaw: what the system refused in one line, and for a bug how to find out more. The stack is shown
 * only to who asked for it.
 * @returns the exit code.
 */
export function reportUnexpected(
  error: unknown,
  withStack: boolean,
  environment: Pick<CommandEnvironment, 'stderr'>,
): number {
  const isRefusal = systemErrorCode(error) !== undefined && error instanceof Error && 'syscall' in error;
  if (isRefusal) {
    environment.stderr(`${product.name}: ${errorMessage(error)}\n`);
  } else {
    environment.stderr(
      `${product.name}: this is a bug: ${String(error)}\nPlease report it, with what "${product.name} --debug …" says.\n`,
    );
  }
  if (withStack && error instanceof Error) environment.stderr(`${error.stack ?? ''}\n`);
  return isRefusal ? 1 : 2;
}
