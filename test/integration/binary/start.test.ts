import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { executable, runProgram, versionPattern } from './program.ts';

describe.skipIf(!needs('binary'))('the single executable', () => {
  test('prints its version', () => {
    const { code, stdout, stderr } = runProgram([executable, '--version']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.match(versionPattern)).toHaveLength(6);
    expect(stdout).toMatch(/^Name: +millrace$/m);
  });

  test('takes its arguments from the first on', () => {
    const { code, stdout } = runProgram([executable, 'pipeline', '--help']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Usage: millrace pipeline /)]);
    expect(runProgram([executable, 'no-such-command']).code).not.toBe(0);
  });

  test('does not obey NODE_OPTIONS, which a job sets for its own Node', () => {
    const env = { ...process.env, NODE_OPTIONS: '--require ./not-here.js --max-old-space-size=64' };
    const { code, stdout, stderr } = runProgram([executable, '--help'], { env });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: millrace');
  });

  test('is itself to the operating system', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-binary-'));
    const args = ['coordinator', '--listen', '127.0.0.1:0', '--data-dir', folder];
    const coordinator = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      await Promise.race([once(coordinator.stdout, 'data'), once(coordinator.stderr, 'data')]);
      expect(readlinkSync(`/proc/${coordinator.pid}/exe`)).toBe(executable);
      expect(readFileSync(`/proc/${coordinator.pid}/comm`, 'utf8')).toBe('millrace\n');
    } finally {
      coordinator.kill();
      await once(coordinator, 'exit');
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.skipIf(!needs('strip'))('is no larger than needed: symbols of Node are left out', () => {
    expect(statSync(executable).size).toBeLessThan(120_000_000);
  });
});
