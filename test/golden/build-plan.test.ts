import { describe, expect, it } from 'vitest';
import type { BuildPlan, StagePlan } from '../../src/plan/build-plan.ts';
import { planBuild } from '../../src/plan/plan-build.ts';
import type { PlanRequest } from '../../src/plan/plan-request.ts';
import { publicView } from '../../src/plan/public-view.ts';
import { generateScript } from '../../src/shells/generate-script.ts';
import { dockerTraits, payloadFixture, planRequestFixture, runnerFixture, variablesFixture } from '../support/plan-fixtures.ts';
import { expectGolden } from './golden-file.ts';

/** A job that uses about everything a payload can say. */
const fullPayload = payloadFixture({
  allow_git_fetch: false,
  variables: [
    ...variablesFixture({
      GIT_SUBMODULE_STRATEGY: 'recursive',
      GIT_SUBMODULE_UPDATE_FLAGS: '--remote',
      GIT_SUBMODULE_FORCE_HTTPS: 'true',
      CACHE_FALLBACK_KEY: 'main-protected',
      RUNNER_SCRIPT_TIMEOUT: '30m',
      RUNNER_GENERATE_ARTIFACTS_METADATA: 'true',
      GET_SOURCES_ATTEMPTS: '3',
      NOT_A_FLAG: '$GREETING',
    }),
    { key: 'DEPLOY_KEY', value: 'key of\nseveral lines', file: true, masked: true, raw: true },
  ],
  steps: [
    { name: 'script', script: ['make all', 'cat <<EOT\n  here\nEOT'] },
    { name: 'release', script: ['release-cli create --name "$CI_PROJECT_PATH"'] },
    { name: 'after_script', script: ['make clean'] },
  ],
  image: { name: 'registry.example.com/$CI_PROJECT_PATH:1', entrypoint: [''], pull_policy: ['always'], executor_opts: { docker: { platform: 'linux/arm64', user: 1000 } } },
  services: [{ name: 'postgres:$PG', alias: 'db, $CI', variables: [{ key: 'PG', value: '16' }, { key: 'URL', value: '$PG of $CI' }] }],
  artifacts: [
    { name: 'built', paths: ['dist/', '$X/*.txt'], exclude: ['dist/tmp/**'], expire_in: '1 week', artifact_type: 'archive', artifact_format: 'zip', when: 'always' },
    { paths: ['junit.xml'], artifact_type: 'junit', artifact_format: 'gzip', when: 'on_failure' },
  ],
  cache: [
    { key: '$CI_PROJECT_PATH/../deps ', paths: ['node_modules/'], fallback_keys: ['deps-old'], policy: 'pull-push' },
    { key: 'only-push', paths: ['out'], policy: 'push', when: 'always' },
  ],
  dependencies: [
    { id: 5, token: 'other-token', name: 'compile', artifacts_file: { filename: 'artifacts.zip', size: 10 } },
    { id: 6, token: 'unused', name: 'nothing', artifacts_file: { filename: '' } },
  ],
  credentials: [{ type: 'registry', url: 'registry.example.com', username: 'u', password: 'registry-password' }],
  hooks: [{ name: 'pre_get_sources_script', script: ['echo "before sources"'] }],
});

const full: Partial<PlanRequest> = {
  payload: fullPayload,
  traits: dockerTraits,
  runner: runnerFixture({ executor: 'docker', environment: ['LANG=C.UTF-8', 'nonsense'], preBuildScript: 'umask' }),
  outputMark: 'feedface',
  startedAt: '2026-01-02T03:04:05Z',
  tlsData: { ca: '-----BEGIN CERTIFICATE-----\n', cert: undefined, key: undefined },
};

const cases: readonly { readonly name: string; readonly request: Partial<PlanRequest> }[] = [
  { name: 'simple-shell', request: {} },
  { name: 'full-docker', request: full },
  {
    name: 'no-sources',
    request: { payload: payloadFixture({ variables: variablesFixture({ GIT_STRATEGY: 'none' }) }) },
  },
];

function allStages({ stages }: BuildPlan): readonly StagePlan[] {
  return Object.values(stages)
    .flat()
    .filter((stage) => stage !== undefined);
}

describe('build plans', () => {
  it.each(cases)('$name', ({ name, request }) => {
    const plan = planBuild(planRequestFixture(request));
    expectGolden(`plans/${name}.json`, `${JSON.stringify(plan, null, 2)}\n`);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expectGolden(`plans/${name}.public.json`, `${JSON.stringify(publicView(plan), null, 2)}\n`);
  });
});

describe('stage scripts', () => {
  it.each((['bash', 'sh', 'pwsh', 'powershell'] as const).flatMap((shell) => cases.map((entry) => ({ ...entry, shell }))))(
    '$name for $shell',
    ({ name, request, shell }) => {
      const base = planRequestFixture(request);
      const plan = planBuild({ ...base, runner: { ...base.runner, shell } });
      const scripts = allStages(plan).map((stage) => {
        const text = generateScript(stage, plan, { jobStatus: 'success' });
        return `######## ${stage.stage}\n${shell === 'bash' || shell === 'sh' ? readable(text) : text}`;
      });
      expectGolden(`scripts/${name}.${shell}.txt`, scripts.join('\n'));
    },
  );
});

/** The body on lines of its own: what a person reviews. The quoting has tests with real shells. */
function readable(script: string): string {
  return script.replaceAll(String.raw`\n`, '\\n\n');
}
