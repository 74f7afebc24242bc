import { describe, expect, it } from 'vitest';
import { parentsFirst } from './parents-first.ts';

describe('parentsFirst', () => {
  it('puts every process behind its parent, whatever the ids', () => {
    const shell = { pid: 32_760, parent: 1 };
    const subshell = { pid: 32_767, parent: 32_760 };
    const command = { pid: 301, parent: 32_767 };
    const other = { pid: 300, parent: 1 };
    expect(parentsFirst([other, command, shell, subshell])).toEqual([other, shell, subshell, command]);
  });

  it('keeps processes that say they are in a circle', () => {
    const both = [
      { pid: 5, parent: 6 },
      { pid: 6, parent: 5 },
    ];
    expect(parentsFirst(both)).toEqual(both);
  });
});
