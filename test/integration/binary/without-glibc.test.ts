import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { executable, runProgram } from './program.ts';

const isHere = needs('binary') && needs('busybox') && needs('root');

describe.skipIf(!isHere)('the single executable where there is no glibc', () => {
  let root = '';

  /** The image: a static busybox, nothing else. */
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-busybox-'));
    for (const folder of ['bin', 'lib', 'lib64']) mkdirSync(join(root, folder));
    const busybox = runProgram(['sh', '-c', 'command -v busybox']).stdout.trim();
    copyFileSync(busybox, join(root, 'bin', 'busybox'));
    symlinkSync('busybox', join(root, 'bin', 'sh'));
    copyFileSync(executable, join(root, 'bin', 'millrace'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function runInImage(script: string): ReturnType<typeof runProgram> {
    return runProgram(['chroot', root, '/bin/busybox', 'env', '-i', 'PATH=/bin', '/bin/sh', '-c', script]);
  }

  test('a static image: it says what it needs', () => {
    const { code, stdout, stderr } = runInImage('millrace --version; echo "exit code $?"');
    expect([code, stdout]).toEqual([0, 'exit code 127\n']);
    expect(stderr).toMatch(
      /^millrace: this program needs the GNU C library \(glibc\), and this system has none: \S+ is missing\.\n/,
    );
    expect(stderr).toMatch(/image with glibc \(Debian, .*npm package millrace with this system's own Node\.js 24\.\n$/);
  });

  test('musl under the name of glibc (libc6-compat of Alpine): the same', () => {
    writeFileSync(join(root, 'lib', 'ld-musl-x86_64.so.1'), 'stands for musl');
    linkSync(join(root, 'lib', 'ld-musl-x86_64.so.1'), join(root, 'lib64', 'ld-linux-x86-64.so.2'));
    const { stdout, stderr } = runInImage('millrace run; echo "exit code $?"');
    expect(stdout).toBe('exit code 127\n');
    expect(stderr).toContain('this system has none: /lib64/ld-linux-x86-64.so.2 is musl.\n');
  });

  test('a loader for another processor: it names the file', () => {
    writeFileSync(join(root, 'lib64', 'ld-linux-x86-64.so.2'), 'no loader');
    const { stdout, stderr } = runInImage('millrace run; echo "exit code $?"');
    expect(stdout).toBe('exit code 127\n');
    expect(stderr).toBe('millrace: the program loader /lib64/ld-linux-x86-64.so.2 is not one for this processor.\n');
  });
});
