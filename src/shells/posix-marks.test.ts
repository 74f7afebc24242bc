import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  payloadFixture,
  planRequestFixture,
  runnerFixture,
  shellTraits,
  variablesFixture,
} from '../../test/support/plan-fixtures.ts';
import { isInstalled, type RealShell, realShells } from '../../test/support/real-shells.ts';
import { runScript } from '../../test/support/run-script.ts';
import { planBuild } from '../plan/plan-build.ts';
import { generateScript } from './generate-script.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-marks-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function run(real: RealShell, script: readonly string[], variables: Record<string, string> = {}) {
  const plan = planBuild(
    planRequestFixture({
      payload: payloadFixture({ steps: [{ name: 'script', script }], variables: variablesFixture(variables) }),
      runner: runnerFixture({ shell: real.shell, featureFlags: real.flags }),
      traits: { ...shellTraits, defaultBuildsDir: directory, defaultCacheDir: directory },
      outputMark: 'f00d',
    }),
  );
  mkdirSync(plan.directories.project, { recursive: true });
  const [stage] = plan.stages.steps;
  if (stage === undefined) throw new Error('no step');
  const result = await runScript(real.command, generateScript(stage, plan, { jobStatus: 'running' }));
  return { ...result, outMarks: marks(result.stdout), errorMarks: marks(result.stderr) };
}

function marks(output: string): string[] {
  return [...output.matchAll(/\x1ef00d:(\d+:[bo])\x1e/g)].map(([, mark = '']) => mark);
}

/** The two marks of each command, given their kind. */
function pairs(...kinds: readonly string[]): readonly string[] {
  return kinds.flatMap((kind, index) => [`${2 * index + 1}:${kind}`, `${2 * index + 2}:${kind}`]);
}

describe.skipIf(process.platform !== 'linux').each(realShells)('command boundary marks in $name', (real) => {
  const test = it.skipIf(!isInstalled(real));

  test('stand around the line that shows a command, on both streams', async () => {
    const result = await run(real, ['echo one', 'echo two >&2', 'echo three']);
    expect(result.outMarks).toEqual(pairs('b', 'b', 'b'));
    expect(result.errorMarks).toEqual(pairs('b', 'b', 'b'));
    expect(result.stdout).toMatch(
      /^\x1ef00d:1:b\x1e\x1b\[32;1m\$ echo one\x1b\[0;m\n\x1ef00d:2:b\x1eone\n\x1ef00d:3:b\x1e/,
    );
    expect(result.stderr).toMatch(/^\x1ef00d:1:b\x1e\x1ef00d:2:b\x1e\x1ef00d:3:b\x1e\x1ef00d:4:b\x1etwo\n/);
    expect(result.code).toBe(0);
  });

  test('do not disturb whatever options a script sets', async () => {
    const result = await run(real, [
      'set -e -u -C',
      "trap 'echo unexpected' 0; trap - 0",
      'printf() { echo fake; }',
      'echo ok',
    ]);
    expect(result.outMarks).toEqual(pairs('b', 'b', 'b', 'b'));
    expect(result.stdout).not.toContain('fake\x1e');
    expect(result.code).toBe(0);
  });

  test('are not seen by a shell trace', async () => {
    const result = await run(real, ['set -x', 'echo traced', 'set +x']);
    expect(result.stderr).toContain('+ echo traced');
    expect(result.stderr).not.toContain('__millrace');
    expect(result.stderr).not.toContain('/proc/');
    expect(result.errorMarks).toEqual(pairs('b', 'b', 'b'));
  });

  test('go to a stream only while it is the one the stage began with', async () => {
    const file = join(directory, 'out');
    const result = await run(real, [
      `exec 7>&1 >${file}`,
      'echo to a file',
      `exec 2>&1`,
      'echo both',
      'exec >&7 7>&-',
      `cat ${file} >&1`,
    ]);
    expect(result.outMarks).toEqual(['1:b', '2:b', '11:o', '12:o']);
    expect(result.errorMarks).toEqual(pairs('b', 'o', 'o'));
    expect(result.stdout).toContain('to a file\n');
    expect(result.code).toBe(0);
  });

  test('survive closed streams', async () => {
    const result = await run(real, ['exec 2>&-', 'true', 'exec 3>&- 4>&1', 'echo still here']);
    expect(result.stdout).toContain('still here');
    expect(result.code).toBe(0);
  });

  test('leave the descriptor they use alone', async () => {
    const file = join(directory, 'three');
    const result = await run(real, [`exec 3>${file}`, 'echo three >&3', `exec 3>&-; cat ${file}`]);
    expect(result.stdout).toMatch(/[\n\x1e]three\n/);
  });

  test('are absent while the shell traces for the user', async () => {
    const result = await run(real, ['echo hi'], { CI_DEBUG_TRACE: 'true' });
    expect(result.outMarks).toEqual([]);
    expect(result.stderr).toContain('echo hi');
  });
});

describe('command boundary marks in bash', () => {
  it('neither trigger nor miss error traps', async () => {
    const [bash] = realShells;
    if (bash === undefined) throw new Error('no shell');
    const result = await run(bash, ['set -E; trap "echo TRAPPED" ERR', 'exec 2>/dev/null', 'true']);
    expect(result.stdout).not.toContain('\nTRAPPED');
    expect(result.outMarks).toEqual(pairs('b', 'b', 'o'));
  });
});
