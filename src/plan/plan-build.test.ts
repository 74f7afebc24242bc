import { describe, expect, it } from 'vitest';
import {
  dockerTraits,
  payloadFixture,
  planRequestFixture,
  runnerFixture,
  shellTraits,
  variablesFixture,
} from '../../test/support/plan-fixtures.ts';
import { JobConfigurationError } from '../lib/errors.ts';
import { isPlainFileWork } from '../script/plain-file-work.ts';
import { findVariable } from '../variables/lookup.ts';
import type { ExecutorTraits } from './executor-traits.ts';
import { planBuild } from './plan-build.ts';
import type { PlanRequest } from './plan-request.ts';

function plan(payload: Record<string, unknown> = {}, changes: Partial<PlanRequest> = {}) {
  return planBuild(planRequestFixture({ payload: payloadFixture(payload), ...changes }));
}

function withVariables(values: Record<string, string>, changes: Partial<PlanRequest> = {}) {
  return plan({ variables: variablesFixture(values) }, changes);
}

describe('directories', () => {
  it('are shared or not as the executor says', () => {
    expect(plan().directories).toEqual({
      root: '/srv/runner/builds',
      project: '/srv/runner/builds/abcdefghi/0/group/demo',
      temporary: '/srv/runner/builds/abcdefghi/0/group/demo.tmp',
      cache: '/srv/runner/cache/group/demo',
    });
    expect(plan({}, { traits: dockerTraits }).directories.project).toBe('/builds/group/demo');
  });

  it('get a suffix for the empty strategy', () => {
    const { project, cache } = withVariables({ GIT_STRATEGY: 'empty' }, { traits: dockerTraits }).directories;
    expect([project, cache]).toEqual(['/builds/group/demo-empty', '/cache/group/demo-empty']);
  });

  it('are named after the project id where the URL names no project', () => {
    for (const repo_url of ['file:///srv/demo.git', 'https://host/', 'https://host/../x.git', '']) {
      const { git_info } = payloadFixture();
      const { project } = plan({ git_info: { ...git_info, repo_url } }, { traits: dockerTraits }).directories;
      expect(project).toBe('/builds/project-42');
    }
  });

  it('follow GIT_CLONE_PATH inside the builds directory only', () => {
    const traits = dockerTraits;
    const at = (path: string) => withVariables({ GIT_CLONE_PATH: path }, { traits }).directories.project;
    expect(at('$CI_BUILDS_DIR/go/src/../x/')).toBe('/builds/go/x');
    expect(at('/builds/..hidden')).toBe('/builds/..hidden');
    expect(() => at('/builds/../etc')).toThrow('the GIT_CLONE_PATH="/builds/../etc" has to be within "/builds"');
    expect(() => at('relative')).toThrow(JobConfigurationError);
    expect(() => withVariables({ GIT_CLONE_PATH: '$CI_BUILDS_DIR/x' })).toThrow(
      'setting GIT_CLONE_PATH is not allowed, enable `custom_build_dir` feature',
    );
  });

  it('must be configured where the executor has none', () => {
    const none = { ...shellTraits, name: 'custom', defaultBuildsDir: '' };
    expect(() => plan({}, { traits: none })).toThrow('the builds_dir is not configured');
    expect(() => plan({}, { traits: { ...shellTraits, defaultCacheDir: '' } })).toThrow(
      'the cache_dir is not configured',
    );
    const runner = runnerFixture({ buildsDir: '/b' });
    expect(plan({}, { traits: none, runner }).directories.root).toBe('/b');
  });

  it('that are relative in config.toml lie beside the default ones', () => {
    const at = (buildsDir: string) => plan({}, { runner: runnerFixture({ buildsDir }) }).directories.root;
    expect(at('mine')).toBe('/srv/runner/mine');
    expect(at('$PWD/mine')).toBe('/srv/runner/mine');
  });
});

describe('names', () => {
  it('tell builds apart', () => {
    const { names } = plan({}, { concurrentId: 3, concurrentProjectId: 1 });
    expect(names).toMatchObject({
      unique: 'runner-abcdefghi-project-42-concurrent-1',
      uniqueShort: 'runner-abcdefghi-42-1-4711',
    });
    expect(names.volume).toMatch(/^runner-[0-9a-f]{32}$/);
    const odd = plan({}, { runner: runnerFixture({ token: 'A_B.c' }) }).names.unique;
    expect(odd).toBe('runner-abc-project-42-concurrent-1'.replace('-1', '-0'));
  });
});

describe('variables', () => {
  it('come in order of precedence', () => {
    const { variables } = withVariables(
      { CI_PROJECT_DIR: 'mine', LANG: 'job', FF_TIMESTAMPS: 'false', CI_RUNNER_VERSION: 'mine' },
      { runner: runnerFixture({ environment: ['LANG=runner', 'ONLY=runner=x', 'FF_TIMESTAMPS=true', 'nothing'] }) },
    );
    const value = (key: string) => findVariable(variables, key)?.value;
    expect(value('CI_PROJECT_DIR')).toBe('mine');
    expect(value('LANG')).toBe('job');
    expect(value('ONLY')).toBe('runner=x');
    expect(value('FF_TIMESTAMPS')).toBe('false');
    expect(variables.filter(({ key }) => key === 'FF_TIMESTAMPS')).toHaveLength(1);
    expect(value('CI_RUNNER_VERSION')).toBe('19.4.0');
    expect(value('GREETING')).toBe('hello group/demo');
    expect(value('CI_JOB_TIMEOUT')).toBe('3600');
    expect(value('CI_SHARED_ENVIRONMENT')).toBe('true');
    expect(value('CI_BUILD_NETWORK_NAME')).toBeUndefined();
  });

  it('hold the TLS files over https only', () => {
    const tlsData = { ca: 'CA', cert: 'CERT', key: 'KEY' };
    const keys = (url: string) =>
      plan({}, { tlsData, runner: runnerFixture({ url }) })
        .variables.filter(({ file }) => file)
        .map(({ key }) => key);
    expect(keys('https://x')).toEqual(['CI_SERVER_TLS_CA_FILE', 'CI_SERVER_TLS_CERT_FILE', 'CI_SERVER_TLS_KEY_FILE']);
    expect(keys('http://x')).not.toContain('CI_SERVER_TLS_CA_FILE');
  });

  it('say which ref is protected', () => {
    const protectedBy = (values: readonly string[], given?: boolean) =>
      plan({
        variables: values.map((value) => ({ key: 'CI_COMMIT_REF_PROTECTED', value })),
        git_info: { ...payloadFixture().git_info, protected: given },
      }).job.isProtected;
    expect(protectedBy(['false', 'true'])).toBe(false);
    expect(protectedBy(['true', 'false'])).toBe(true);
    expect(protectedBy(['true'], false)).toBe(false);
  });
});

describe('masking', () => {
  it('takes the final values, longest first', () => {
    const { masking } = plan({
      variables: [
        { key: 'A', value: ' short ', masked: true },
        { key: 'B', value: 'in $CI_PROJECT_DIR', masked: true },
        { key: 'C', value: ' ', masked: true },
        { key: 'D', value: 'seen', masked: false },
      ],
      features: { token_mask_prefixes: [' my-', 'glpat-'] },
    });
    expect(masking.phrases).toEqual(['in /srv/runner/builds/abcdefghi/0/group/demo', 'short']);
    expect(masking.tokenPrefixes.slice(0, 2)).toEqual(['my-', 'gldt-']);
    expect(masking.tokenPrefixes).toContain('_gitlab_session=');
  });
});

describe('timeouts', () => {
  it('are read from the job and the runner', () => {
    const { timeouts } = withVariables(
      { RUNNER_SCRIPT_TIMEOUT: '10m', RUNNER_AFTER_SCRIPT_TIMEOUT: '90s' },
      { runner: runnerFixture({ prepareTimeoutMs: 60_000, getSourcesTimeoutMs: 99_999_999 }) },
    );
    expect(timeouts).toEqual({
      jobMs: 3_600_000,
      prepareMs: 60_000,
      getSourcesMs: undefined,
      scriptMs: 600_000,
      afterScriptMs: 90_000,
      warnings: [],
    });
  });

  it('that make no sense are said to be ignored', () => {
    const { timeouts } = withVariables({ RUNNER_SCRIPT_TIMEOUT: 'soon', RUNNER_AFTER_SCRIPT_TIMEOUT: '2h' });
    expect(timeouts).toMatchObject({ scriptMs: undefined, afterScriptMs: 3_600_000 });
    expect(timeouts.warnings).toEqual([
      'Ignoring malformed RUNNER_SCRIPT_TIMEOUT timeout: soon',
      'RUNNER_AFTER_SCRIPT_TIMEOUT timeout: 2h is longer than job timeout. Setting to job timeout',
    ]);
    expect(withVariables({ RUNNER_SCRIPT_TIMEOUT: '-1s' }).timeouts.warnings).toEqual([
      'Ignoring relative RUNNER_SCRIPT_TIMEOUT timeout: -1s',
    ]);
    expect(plan({ runner_info: { timeout: 0 } }).timeouts.jobMs).toBe(7_200_000);
  });
});

describe('stages', () => {
  it('exist only where there is something to do', () => {
    const { stages } = plan({
      steps: [
        { name: 'script', script: ['true'] },
        { name: 'after_script', script: [] },
      ],
    });
    expect(stages.steps.map(({ stage, title }) => [stage, title])).toEqual([
      ['step_script', 'Executing "step_script" stage of the job script'],
    ]);
    expect(stages).toMatchObject({
      restoreCache: undefined,
      downloadArtifacts: undefined,
      afterScript: undefined,
      archiveCacheOnSuccess: undefined,
      uploadArtifactsOnSuccess: undefined,
    });
  });

  it('without git need no shell at all', () => {
    for (const strategy of ['none', 'empty']) {
      const { stages } = withVariables({ GIT_STRATEGY: strategy });
      for (const stage of [stages.prepareScript, stages.getSources, stages.cleanup]) {
        expect(isPlainFileWork(stage.operations), stage.stage).toBe(true);
        expect(stage.exports).toBe('none');
      }
    }
    const { cleanup, getSources } = plan().stages;
    expect([isPlainFileWork(cleanup.operations), isPlainFileWork(getSources.operations)]).toEqual([true, false]);
  });

  it('remove every file variable at the end', () => {
    const { cleanup } = plan({ variables: [{ key: 'KEY', value: 'x', file: true }] }).stages;
    expect(cleanup.operations).toContainEqual({ op: 'removeFile', path: expect.stringMatching(/demo\.tmp\/KEY$/) });
  });

  it('that cannot be generated fail when their turn comes', () => {
    const { stages } = plan({
      variables: variablesFixture({ GIT_SUBMODULE_STRATEGY: 'deep' }),
      cache: [{ key: 'k', paths: ['x'], policy: 'sometimes' }],
    });
    expect(stages.getSources.generationError).toBe('unknown GIT_SUBMODULE_STRATEGY');
    expect(stages.restoreCache?.generationError).toBe('unknown cache policy sometimes for k');
    expect(stages.steps[0]?.generationError).toBeUndefined();
    const paths = withVariables({ GIT_SUBMODULE_STRATEGY: 'normal', GIT_SUBMODULE_PATHS: ':(exclude) x' });
    expect(paths.stages.getSources.generationError).toContain('GIT_SUBMODULE_PATHS: invalid submodule pathspec');
  });

  it('are chosen by `when`', () => {
    const paths = ['x'];
    const { stages } = plan({
      artifacts: [{ paths, when: 'on_failure', name: 'failed' }, { exclude: ['y'], when: '' }, { name: 'no paths' }],
      cache: [
        { key: 'always', paths, when: 'always' },
        { key: 'ok', untracked: true },
      ],
    });
    const text = (value: unknown) => JSON.stringify(value);
    expect(text(stages.uploadArtifactsOnFailure)).toContain('failed');
    expect(text(stages.uploadArtifactsOnSuccess)).not.toContain('failed');
    expect(text(stages.uploadArtifactsOnSuccess)).not.toContain('no paths');
    expect(text(stages.archiveCacheOnFailure)).not.toContain('Creating cache ok');
    expect(text(stages.archiveCacheOnSuccess)).toContain('Creating cache ok');
  });

  it('expand the commands of a release', () => {
    const { stages } = plan({ steps: [{ name: 'release', script: ['create $CI_PROJECT_PATH'] }] });
    expect(stages.steps[0]?.operations).toContainEqual(expect.objectContaining({ text: 'create group/demo' }));
  });

  it("wrap every step in the runner's own scripts", () => {
    const runner = runnerFixture({ preBuildScript: 'before', postBuildScript: 'after' });
    const { stages } = plan(
      {
        steps: [
          { name: 'script', script: ['mine'] },
          { name: 'after_script', script: ['late'] },
        ],
      },
      { runner },
    );
    const texts = (operations: readonly object[] = []) =>
      operations.flatMap((operation) => ('sectionId' in operation && 'text' in operation ? [operation.text] : []));
    expect(texts(stages.steps[0]?.operations)).toEqual(['before', 'mine', 'after']);
    expect(texts(stages.afterScript?.operations)).toEqual(['late']);
  });

  it('get the artifacts of several jobs in one call of a helper that knows how, else in one each', () => {
    const dependencies = [1, 2].map((id) => ({
      id,
      token: `t${id}`,
      name: `d${id}`,
      artifacts_file: { filename: 'x' },
    }));
    const calls = (traits: ExecutorTraits) => {
      const text = JSON.stringify(plan({ dependencies }, { traits }).stages.downloadArtifacts);
      return [text.split('"artifacts-downloader"').length - 1, text.split('Downloading artifacts for').length - 1];
    };
    expect(calls(shellTraits)).toEqual([2, 2]);
    const ours = { ...shellTraits, helperIsOurs: true };
    expect(calls(ours)).toEqual([1, 0]);
    const { operations } = plan({ dependencies }, { traits: ours }).stages.downloadArtifacts ?? {};
    expect(JSON.stringify(operations)).toContain(
      '"--id","1","--token","t1","--name","d1","--id","2","--token","t2","--name","d2"',
    );
    const one = plan({ dependencies: dependencies.slice(1) }, { traits: ours }).stages.downloadArtifacts;
    expect(JSON.stringify(one)).toContain('Downloading artifacts for d2 (2)...');
  });

  it('try as often as the job says', () => {
    const { stages } = plan({
      variables: variablesFixture({ GET_SOURCES_ATTEMPTS: '3', ARTIFACT_DOWNLOAD_ATTEMPTS: '2' }),
      dependencies: [{ id: 1, token: 't', name: 'd', artifacts_file: { filename: 'x' } }],
    });
    expect([stages.getSources.attempts, stages.downloadArtifacts?.attempts]).toEqual([3, 2]);
  });
});

describe('images', () => {
  it('are expanded, services see public variables and their own', () => {
    const { image, services } = plan({
      image: { name: '$CI_PROJECT_PATH:1', executor_opts: { docker: { user: 5 } } },
      services: [
        {
          name: 'db',
          alias: 'one,two three',
          variables: [
            { key: 'P', value: '$CI_SERVER_HOST' },
            { key: 'R', value: '$P', raw: true },
          ],
        },
      ],
    });
    expect(image).toMatchObject({ name: 'group/demo:1', docker: { user: '5', platform: '' } });
    expect(services[0]?.aliases).toEqual(['one', 'two', 'three']);
    const seen = Object.fromEntries(services[0]?.variables.map(({ key, value }) => [key, value]) ?? []);
    expect(seen).toMatchObject({ CI: 'true', P: 'gitlab.example.com', R: '$P' });
    expect(seen).not.toHaveProperty('CI_JOB_TOKEN');
    expect(plan().image).toBeUndefined();
  });
});

describe('policy jobs', () => {
  it('say what counts', () => {
    const notes = (policy: object) =>
      plan({ policy_options: { execution_policy_job: true, policy_name: 'P', ...policy } }).policyNotes;
    expect(notes({})[1]).toMatch(/^Variables defined in the policy take precedence/);
    expect(
      notes({ policy_variables_override_allowed: false, policy_variables_override_exceptions: ['A', 'B'] }),
    ).toEqual([
      'Job triggered by policy "P".',
      'User-defined CI/CD variables are ignored in this job (except for A, B) according to the policy.',
    ]);
    expect(plan().policyNotes).toEqual([]);
  });
});

it('refuses a shell that does not exist', () => {
  expect(() => plan({}, { runner: runnerFixture({ shell: 'cmd' }) })).toThrow('shell cmd not found');
});
