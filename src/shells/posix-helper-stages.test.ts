import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import type { StagePlan } from '../plan/build-plan.ts';
import { planBuild } from '../plan/plan-build.ts';
import { generateScript } from './generate-script.ts';

let directory: string;
let helper: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-helper-'));
  helper = join(directory, 'the helper');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A helper that prints what it is given; `cache-extractor` fails until the archive has the wanted name. */
function installHelper(): void {
  writeFileSync(
    helper,
    `#!/bin/sh
printf '<%s>' "$@"; echo
case "$*" in
  *--env-file*) for last; do :; done; cat "$last" ;;
  *cache-extractor*wanted*) exit 0 ;;
  *cache-extractor*) exit 1 ;;
esac
`,
  );
  chmodSync(helper, 0o755);
}

function planFor(real: RealShell, payload: Record<string, unknown>, flags: Record<string, boolean> = {}) {
  const plan = planBuild(
    planRequestFixture({
      payload: payloadFixture(payload),
      runner: runnerFixture({ shell: real.shell, featureFlags: { ...real.flags, ...flags } }),
      traits: {
        ...shellTraits,
        defaultBuildsDir: join(directory, 'b'),
        defaultCacheDir: join(directory, 'c'),
        helperCommand: [helper, 'sub'],
      },
    }),
  );
  mkdirSync(plan.directories.project, { recursive: true });
  return plan;
}

describe.each(realShells)('helper stages in $name', (real) => {
  const test = it.skipIf(!isInstalled(real));

  async function run(plan: ReturnType<typeof planFor>, stage: StagePlan | undefined) {
    if (stage === undefined) throw new Error('nothing to do');
    return await runScript(real.command, generateScript(stage, plan, { jobStatus: 'success' }));
  }

  test('try one key after the other', async () => {
    installHelper();
    const plan = planFor(
      real,
      { cache: [{ key: 'first', paths: ['deps/'], fallback_keys: ['wanted', 'third'] }] },
      { FF_CLEAN_UP_FAILED_CACHE_EXTRACT: true },
    );
    const partial = join(plan.directories.project, 'deps');
    mkdirSync(partial);
    const { stdout, code } = await run(plan, plan.stages.restoreCache);
    expect(code).toBe(0);
    expect(stdout).toContain(
      '<sub><cache-extractor><--file><../../../../../c/group/demo/first/cache.zip><--timeout><10>',
    );
    expect(stdout).toMatch(
      /Failed to extract cache[^]*Removing deps\/[^]*Checking cache for wanted[^]*Successfully extracted cache/,
    );
    expect(stdout).not.toContain('third');
    expect(existsSync(partial)).toBe(false);
  });

  test('do without a helper that is missing', async () => {
    const plan = planFor(real, { cache: [{ key: 'k', paths: ['x'] }], artifacts: [{ paths: ['x'] }] });
    const restored = await run(plan, plan.stages.restoreCache);
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stdout).toContain(`Missing ${helper}. Extracting cache is disabled.`);
    expect((await run(plan, plan.stages.uploadArtifactsOnSuccess)).stdout).toContain(
      'Uploading artifacts is disabled.',
    );
  });

  test('hand the key of a cache over in a file that does not stay', async () => {
    installHelper();
    const plan = planFor(real, { cache: [{ key: '$(id) `id` "q"', paths: ['a b', '$HOME'] }] });
    const { stdout } = await run(plan, plan.stages.archiveCacheOnSuccess);
    expect(stdout).toContain('<--path><a b><--path><$HOME><--env-file>');
    expect(stdout).toContain(String.raw`CACHE_METADATA="{\"cachekey\":\"\\u0024(id) ${'`id`'} \\\"q\\\"\"}"`);
    expect(existsSync(`${plan.directories.temporary}/gitlab_runner_cache_env`)).toBe(false);
  });

  test('say when the job ended, and touch no other argument', async () => {
    installHelper();
    const plan = planFor(real, {
      variables: variablesFixture({ RUNNER_GENERATE_ARTIFACTS_METADATA: 'true' }),
      artifacts: [{ name: '${CI} $CI', paths: ['${CI}/x'], artifact_format: 'zip' }],
    });
    const { stdout, code } = await run(plan, plan.stages.uploadArtifactsOnSuccess);
    expect(code).toBe(0);
    expect(stdout).toMatch(/<--ended-at><\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ>/);
    expect(stdout).toContain('<--path><${CI}/x><--name><${CI} $CI><--artifact-format><zip>');
  });

  test('fail where a helper fails that must not', async () => {
    writeFileSync(helper, '#!/bin/sh\nexit 7\n');
    chmodSync(helper, 0o755);
    const plan = planFor(real, { artifacts: [{ paths: ['x'] }] });
    const isLegacy = real.flags['FF_USE_LEGACY_BASH_EVAL'] === true;
    expect(await run(plan, plan.stages.uploadArtifactsOnSuccess)).toMatchObject({ code: isLegacy ? 1 : 7 });
  });
});
