import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { executable, runProgram, versionPattern } from './program.ts';

const isHere = needs('binary') && needs('root') && needs('minbase-root');

// All mounts are made in a mount namespace of the command's own: they end with it, however it ends. The root itself is
// read-only, so the next test finds it as it was. /srv is the scratch folder of the test.
const enterRoot = `
set -e
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount --bind "$SCRATCH" "$ROOT/srv"
mkdir "$ROOT/tmp/bin"
touch "$ROOT/tmp/bin/millrace"
mount --bind "$EXECUTABLE" "$ROOT/tmp/bin/millrace"
exec chroot "$ROOT" env -i PATH=/tmp/bin:/usr/bin:/bin HOME=/srv/home bash -c "$SCRIPT"
`;

const pipeline = `
stages: [build, test]
compile:
  stage: build
  script: [mkdir out, 'echo "made on $(uname -s)" > out/product.txt']
  artifacts: {paths: [out]}
verify:
  stage: test
  script: [cat out/product.txt, 'command -v node || echo "no node here"']
`;

const gitConfig = '[user]\n name = Ann\n email = ann@example.com\n[init]\n defaultBranch = main\n';

describe.skipIf(!isHere)('the single executable in a Debian root without Node', () => {
  let scratch = '';
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'millrace-minbase-'));
    write('home/.gitconfig', gitConfig);
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), content);
  }

  function runInRoot(script: string): ReturnType<typeof runProgram> {
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
    const env = {
      PATH: process.env['PATH'],
      ROOT: process.env['MILLRACE_MINBASE'],
      SCRATCH: scratch,
      EXECUTABLE: executable,
      SCRIPT: script,
    };
    return runProgram(['unshare', ...namespaces, 'sh', '-c', enterRoot], { env });
  }

  test('prints its version', () => {
    const { code, stdout, stderr } = runInRoot('command -v node; millrace --version');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.match(versionPattern)).toHaveLength(6);
  });

  test('runs a pipeline of two jobs, the second with the artifacts of the first', () => {
    write('app/.gitlab-ci.yml', pipeline);
    const { code, stdout, stderr } = runInRoot(
      'cd /srv/app && git init -q && git add . && git commit -qm first && exec millrace pipeline run',
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^verify +\| made on Linux$/m);
    expect(stdout).toMatch(/^verify +\| no node here$/m);
    expect(stdout).toContain('Pipeline success');
    expect(code).toBe(0);
  });
});
