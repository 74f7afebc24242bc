import { describe, expect, it } from 'vitest';
import { git, makeDirectory, notice, removeFile, when } from './build-operations.ts';
import { isPlainFileWork } from './plain-file-work.ts';

describe('isPlainFileWork', () => {
  it('is true of printing and of files made and removed', () => {
    expect(isPlainFileWork([])).toBe(true);
    expect(
      isPlainFileWork([
        notice('x'),
        { op: 'printHost' },
        makeDirectory('/a'),
        when({ test: 'isDirectory', path: '/a' }, [removeFile('/a/b')], [{ op: 'emptyLine' }]),
        { op: 'writeFile', path: '/a/b', content: '' },
      ]),
    ).toBe(true);
  });

  it('is false of what needs a shell', () => {
    expect(isPlainFileWork([git('init')])).toBe(false);
    expect(isPlainFileWork([when({ test: 'exists', path: '/a' }, [git('init')])])).toBe(false);
    expect(isPlainFileWork([when({ test: 'isReadable', path: '/a' }, [])])).toBe(false);
    expect(isPlainFileWork([{ op: 'userCommand', text: '', sectionId: '', asSection: false }])).toBe(false);
  });
});
