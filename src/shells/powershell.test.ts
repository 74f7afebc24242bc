import { assert, constantFrom, property, string } from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  dockerTraits,
  payloadFixture,
  planRequestFixture,
  runnerFixture,
  variablesFixture,
} from '../../test/support/plan-fixtures.ts';
import { powershellParser } from '../../test/support/powershell-parser.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { planBuild } from '../plan/plan-build.ts';
import type { PlanRequest } from '../plan/plan-request.ts';
import { generateScript } from './generate-script.ts';
import { quoteSingle, quoteValue } from './powershell-quoting.ts';

let parser: Awaited<ReturnType<typeof powershellParser>>;
beforeAll(async () => {
  parser = await powershellParser();
});

const everything = {
  variables: [
    ...variablesFixture({ HOME: '/x', 'A-B': 'dash', TRICKY: '`e $(x) "q" \'s\' “t” ‘u’\n#$\t' }),
    { key: 'FILE', value: 'content\n$x `n', file: true },
    { key: 'GIT_SUBMODULE_STRATEGY', value: 'recursive' },
  ],
  steps: [
    { name: 'script', script: ['Write-Output "a"', 'if ($true) {\n  Get-Date\n}', ''] },
    { name: 'after_script', script: ['echo done'] },
  ],
  cache: [{ key: 'k', paths: ['a'], fallback_keys: ['f'] }],
  artifacts: [{ name: 'n', paths: ['x'], artifact_format: 'zip', when: 'always' }],
  dependencies: [{ id: 1, token: 't', name: 'dep', artifacts_file: { filename: 'a.zip', size: 1 } }],
  hooks: [{ name: 'pre_get_sources_script', script: ['echo before'] }],
};

function plan(shell: 'pwsh' | 'powershell', flags: Record<string, boolean> = {}, changes: Partial<PlanRequest> = {}) {
  return planBuild(
    planRequestFixture({
      payload: payloadFixture(everything),
      runner: runnerFixture({ shell, featureFlags: flags }),
      traits: dockerTraits,
      outputMark: 'mark',
      ...changes,
    }),
  );
}

function allStages({ stages }: BuildPlan): readonly StagePlan[] {
  return Object.values(stages)
    .flat()
    .filter((stage) => stage !== undefined);
}

const flagSets: readonly Record<string, boolean>[] = [
  {},
  { FF_USE_POWERSHELL_PATH_RESOLVER: true },
  { FF_GIT_URLS_WITHOUT_TOKENS: true, FF_USE_GIT_NATIVE_CLONE: true, FF_ENABLE_JOB_CLEANUP: true },
  { FF_SCRIPT_SECTIONS: true, FF_CLEAN_UP_FAILED_CACHE_EXTRACT: true },
];

describe.each(['pwsh', 'powershell'] as const)('scripts for %s', (shell) => {
  it.each(flagSets)('parse without error with %o', (flags) => {
    const build = plan(shell, flags);
    for (const stage of allStages(build)) {
      expect(parser.errors(generateScript(stage, build, { jobStatus: 'success' })), stage.stage).toEqual([]);
    }
  });

  it('parse without error with relative directories', () => {
    const traits = { ...dockerTraits, defaultBuildsDir: 'builds', defaultCacheDir: 'cache' };
    const build = plan(shell, {}, { traits });
    for (const stage of allStages(build)) {
      expect(parser.errors(generateScript(stage, build, { jobStatus: 'success' })), stage.stage).toEqual([]);
    }
    expect(generateScript(build.stages.getSources, build, { jobStatus: 'running' })).toContain(
      '${GITLAB_ENV}="$CurrentDirectory/builds/group/demo.tmp/gitlab_runner_env"',
    );
  });

  it('take any value', () => {
    assert(
      property(string({ unit: constantFrom(...Array.from('`$"\'“”„‘’‚‛#{}()@\n\r\t\x1bae;|&')) }), (value) => {
        expect(parser.errors(`\${A}=${quoteValue(value)}\n& "c" ${quoteSingle(value)}\n`)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('scripts for PowerShell', () => {
  it('stop at the first error in pwsh only', () => {
    const text = (shell: 'pwsh' | 'powershell') => {
      const build = plan(shell);
      return generateScript(build.stages.prepareScript, build, { jobStatus: 'running' });
    };
    expect(text('pwsh')).toMatch(/^#!\/usr\/bin\/env pwsh\n& \{\n\n\$ErrorActionPreference = "Stop"\n/);
    expect(text('powershell')).toMatch(/^& \{\r\n\r\n/);
    expect(text('powershell')).not.toContain('ErrorActionPreference');
  });

  it('begin with a byte order mark and no block when they are read from a file', () => {
    const build = plan('powershell', {}, { traits: { ...dockerTraits, name: 'custom' } });
    const text = generateScript(build.stages.prepareScript, build, { jobStatus: 'running' });
    expect(text.startsWith('\uFEFFecho')).toBe(true);
  });

  it('do not assign what PowerShell keeps for itself', () => {
    const build = plan('pwsh');
    const text = generateScript(build.stages.getSources, build, { jobStatus: 'running' });
    expect(text).toContain('${env:HOME}="/x"');
    expect(text).not.toContain('${HOME}="/x"');
  });

  it('write no marks', () => {
    const build = plan('pwsh');
    for (const stage of allStages(build)) {
      expect(generateScript(stage, build, { jobStatus: 'running' })).not.toContain('mark:');
    }
  });

  it('keep a literal backtick followed by e', () => {
    expect(quoteValue('`e')).toBe('"``e"');
    expect(quoteValue('$x "y" “z”')).toBe('"`$x `"y`" `“z`”"');
    expect(quoteSingle("it's ‘x’")).toBe("'it''s ‘‘x’’'");
  });
});
