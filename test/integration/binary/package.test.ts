import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { runProgram, versionPattern } from './program.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!needs('binary'))('the npm package', () => {
  test('is one file and its papers, and starts from the packed tarball', () => {
    const packed = runProgram(['npm', 'pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
    expect(packed.code, packed.stderr).toBe(0);
    const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    expect(runProgram(['tar', '-xzf', join(folder, tarball), '-C', folder]).code).toBe(0);
    const unpacked = join(folder, 'package');
    expect(readdirSync(unpacked).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    expect(readdirSync(join(unpacked, 'dist'))).toEqual(['millrace.cjs']);
    const main = join(unpacked, 'dist', 'millrace.cjs');
    const version = runProgram([main, '--version'], { cwd: folder });
    expect(version.stdout.match(versionPattern), version.stderr).toHaveLength(6);
    const help = runProgram([main, '--help'], { cwd: folder });
    expect([help.code, help.stderr]).toEqual([0, '']);
  });

  test('has nothing that publint objects to', () => {
    const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js');
    const { code, stdout, stderr } = runProgram([process.execPath, publint, '--strict'], { cwd: root });
    expect(code, stdout + stderr).toBe(0);
  });
});
