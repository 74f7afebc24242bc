import { unreachable } from '../lib/unreachable.ts';
import type { ScriptOperation } from './operations.ts';

/**
 * Whether operations need no shell: they only print and make or remove files, so the manager may carry them out itself
 * where it can reach the files.
 */
export function isPlainFileWork(operations: readonly ScriptOperation[]): boolean {
  return operations.every(isPlain);
}

function isPlain(operation: ScriptOperation): boolean {
  switch (operation.op) {
    case 'print':
    case 'emptyLine':
    case 'printHost':
    case 'makeDirectory':
    case 'removeFile':
    case 'removeDirectory':
    case 'writeFile':
      return true;
    case 'if': {
      const { test } = operation.condition;
      if (test !== 'isDirectory' && test !== 'exists') return false;
      return isPlainFileWork(operation.then) && isPlainFileWork(operation.else);
    }
    case 'command':
    case 'commandWithInput':
    case 'userCommand':
    case 'export':
    case 'changeDirectory':
    case 'removeByName':
    case 'cacheTransfer':
    case 'verbatim':
      return false;
    default:
      return unreachable(operation);
  }
}
