import { describe, expect, it } from 'vitest';
import type { ScriptOperation } from './operations.ts';
import { runsUserCode } from './user-code.ts';

const ours: ScriptOperation = { op: 'command', command: 'git', arguments: ['fetch'] };
const theirs: ScriptOperation = { op: 'userCommand', text: 'make', sectionId: 'x', asSection: false };

function onlyIf(then: readonly ScriptOperation[], otherwise: readonly ScriptOperation[]): ScriptOperation {
  return { op: 'if', condition: { test: 'exists', path: '/x' }, then, else: otherwise };
}

describe('runsUserCode', () => {
  it.each([
    ['nothing', [], false],
    ['our commands', [ours, onlyIf([ours], [])], false],
    ['a command of the user', [ours, theirs], true],
    ['one in a branch', [onlyIf([], [onlyIf([theirs], [])])], true],
  ] as const)('%s: %j', (_name, operations, expected) => {
    expect(runsUserCode(operations)).toBe(expected);
  });
});
