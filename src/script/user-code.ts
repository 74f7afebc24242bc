import type { ScriptOperation } from './operations.ts';

/** Whether operations run anything that a user wrote, which may change files of the account. */
export function runsUserCode(operations: readonly ScriptOperation[]): boolean {
  return operations.some((operation) => {
    if (operation.op === 'if') return runsUserCode(operation.then) || runsUserCode(operation.else);
    return operation.op === 'userCommand';
  });
}
