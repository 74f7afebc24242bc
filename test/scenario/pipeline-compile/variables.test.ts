import { describe, expect, test } from 'vitest';
import type { UserVariable } from '../../../src/pipeline/options.ts';
import { expandServerVariables } from '../../../src/variables/server-expansion.ts';
import { compile, job, mainBranch, problemsOf, tag, variablesOf } from '../../support/pipeline/compile.ts';

function user(
  level: UserVariable['level'],
  key: string,
  value: string,
  more: Partial<UserVariable> = {},
): UserVariable {
  return { key, value, level, ...more };
}

describe('forms', () => {
  test('all values become text; null is empty; expand: false is raw', async () => {
    const yaml = `
variables:
  INT: 0o17
  OCT: 012
  FLOAT: 1.10
  BOOL: yes
  NULL1:
  MAP: {value: m, description: d}
  RAW: {value: $INT, expand: false}
  OPT: {value: b, options: [a, b]}
a: {script: x, variables: {J: {value: 1, expand: true}}}
`;
    const sent = await job(yaml, 'a');
    expect(variablesOf(sent)).toMatchObject({
      INT: '0o17',
      OCT: '10',
      FLOAT: '1.1',
      BOOL: 'true',
      NULL1: '',
      MAP: 'm',
      RAW: '$INT',
      OPT: 'b',
      J: '1',
    });
    expect(sent.variables_below_dotenv.find((variable) => variable.key === 'RAW')).toMatchObject({
      raw: true,
      public: true,
    });
  });

  test('what is wrong with them', async () => {
    const yaml = `
variables:
  A: [1]
  B: {value: x, foo: 1}
  C: {value: c, options: [a, b]}
a:
  script: x
  variables: {D: {value: d, description: no}, E: [1]}
  rules: [{if: $CI, variables: {F: {value: f}}}]
`;
    expect(await problemsOf(yaml)).toEqual([
      '3:6 variables:A config variable definition must be either a string or a hash',
      '4:6 variables:B config uses invalid data keys: foo',
      '5:14 variables:C value must be present in options',
      '8:18 jobs:a:variables:D config uses invalid data keys: description',
      '8:50 jobs:a:variables:E config variable definition must be either a string or a hash',
      '9:36 jobs:a:rules:rule:variables:F config should be a string or a number',
    ]);
  });

  test('a date has to be quoted', async () => {
    expect(await problemsOf('variables: {A: 2024-01-01}\na: {script: x}\n')).toEqual([
      '1:16 Invalid YAML syntax: Tried to load unspecified class: Date',
    ]);
  });
});

describe('precedence', () => {
  const yaml = `
variables: {A: root, B: root, C: root, D: root, E: root, F: root, G: root, H: root, CI_COMMIT_BRANCH: root, GITLAB_USER_NAME: root}
workflow: {rules: [{if: $CI, variables: {B: workflow, C: workflow, D: workflow}}]}
a:
  script: x
  variables: {C: job, D: job, M: job}
  parallel: {matrix: [{M: matrix}]}
  rules: [{if: $CI, variables: {D: rule}}]
`;
  test('root, workflow, job, matrix, rules, then instance, group, project, pipeline, manual job', async () => {
    const sent = await job(yaml, 'a: [matrix]', {
      userVariables: [
        ...(['E', 'F', 'G', 'H', 'I'] as const).map((key) => user('instance', key, 'instance')),
        ...(['F', 'G', 'H', 'I'] as const).map((key) => user('group', key, 'group')),
        ...(['G', 'H', 'I'] as const).map((key) => user('project', key, 'project')),
        ...(['H', 'I'] as const).map((key) => user('pipeline', key, 'pipeline')),
        user('pipeline', 'I', 'manual', { job: 'a' }),
        user('pipeline', 'I', 'other', { job: 'b' }),
      ],
    });
    expect(variablesOf(sent)).toMatchObject({
      A: 'root',
      B: 'workflow',
      C: 'job',
      D: 'rule',
      M: 'matrix',
      E: 'instance',
      F: 'group',
      G: 'project',
      H: 'pipeline',
      I: 'manual',
      CI_COMMIT_BRANCH: 'root',
      GITLAB_USER_NAME: 'Ann',
    });
    expect(sent.variables_below_dotenv.some((variable) => variable.key === 'E' && variable.value === 'instance')).toBe(
      false,
    );
    expect(sent.variables_above_dotenv.find((variable) => variable.key === 'E')).toMatchObject({ public: false });
  });

  test('scopes of environments: only where they fit, the most specific one wins', async () => {
    const variables = [
      user('project', 'URL', 'any'),
      user('project', 'URL', 'exact', { environmentScope: 'review/main' }),
      user('project', 'URL', 'star', { environmentScope: 'review/*' }),
      user('project', 'PROD', 'x', { environmentScope: 'production' }),
    ];
    const source =
      'a: {script: x}\nb: {script: x, environment: review/$CI_COMMIT_BRANCH}\nc: {script: x, environment: review/x}\n';
    const values = async (name: string) => variablesOf(await job(source, name, { userVariables: variables }));
    expect(await values('a')).toMatchObject({ URL: 'any' });
    expect(await values('b')).toMatchObject({ URL: 'exact' });
    expect(await values('c')).toMatchObject({ URL: 'star' });
    expect(await values('b')).not.toHaveProperty('PROD');
  });

  test('flags of the user are kept', async () => {
    const sent = await job('a: {script: x}\n', 'a', {
      userVariables: [user('project', 'S', 's', { file: true, masked: true, raw: true })],
    });
    expect(sent.variables_above_dotenv).toEqual([
      { key: 'S', value: 's', public: false, file: true, masked: true, raw: true },
    ]);
  });
});

describe('expansion', () => {
  test('values go out unexpanded and expand as a list', async () => {
    const sent = await job('variables: {A: $B, B: "${C}!", C: c}\na: {script: x}\n', 'a');
    expect(variablesOf(sent)['A']).toBe('$B');
    const expanded = expandServerVariables([...sent.variables_below_dotenv, ...sent.variables_above_dotenv]);
    expect(expanded.ok && expanded.variables.find((variable) => variable.key === 'A')?.value).toBe('c!');
  });

  test('a circle is a problem of the job, a reference to itself is not', async () => {
    expect(await problemsOf('variables: {A: $B, B: $A}\na: {script: x}\n')).toEqual([
      '2:1 a: circular variable reference detected: ["A", "B"]',
    ]);
    expect(await problemsOf('variables: {PATH: "$PATH:/x"}\na: {script: x}\n')).toEqual([]);
  });

  test('tags, resource_group and environment are expanded, undefined as each has it', async () => {
    const yaml = `
a:
  script: x
  tags: ["t-$CI_COMMIT_BRANCH", "$NOPE"]
  resource_group: rg/$CI_COMMIT_BRANCH/$NOPE
  environment: {name: "e/$CI_COMMIT_BRANCH$NOPE", url: "https://$CI_ENVIRONMENT_SLUG.example.com"}
`;
    const sent = await job(yaml, 'a');
    expect(sent).toMatchObject({
      tags: ['t-main', '$NOPE'],
      resource_group: 'rg/main/',
      environment: { name: 'e/main', action: 'start' },
    });
    expect(variablesOf(sent)).toMatchObject({
      CI_ENVIRONMENT_NAME: 'e/main',
      CI_ENVIRONMENT_ACTION: 'start',
      CI_ENVIRONMENT_TIER: 'other',
      CI_ENVIRONMENT_URL: 'https://$CI_ENVIRONMENT_SLUG.example.com',
    });
    const top = sent.variables_above_dotenv.map((variable) => variable.key);
    expect(top).toEqual(['CI_ENVIRONMENT_SLUG', 'CI_ENVIRONMENT_URL']);
  });
});

describe('predefined', () => {
  test('of a branch', async () => {
    expect(
      variablesOf(
        await job('a b: {stage: build, script: x, when: manual}\n', 'a b', { pipelineIid: 7, createdAtMs: 0 }),
      ),
    ).toMatchObject({
      CI: 'true',
      GITLAB_CI: 'true',
      MILLRACE_LOCAL: 'true',
      CI_SERVER_URL: 'https://gitlab.example.com:8443',
      CI_SERVER_HOST: 'gitlab.example.com',
      CI_SERVER_PORT: '8443',
      CI_SERVER_FQDN: 'gitlab.example.com:8443',
      CI_API_V4_URL: 'https://gitlab.example.com:8443/api/v4',
      CI_PROJECT_NAME: 'app',
      CI_PROJECT_PATH: 'Group/sub/app',
      CI_PROJECT_PATH_SLUG: 'group-sub-app',
      CI_PROJECT_NAMESPACE: 'Group/sub',
      CI_PROJECT_ROOT_NAMESPACE: 'Group',
      CI_PROJECT_URL: 'https://gitlab.example.com:8443/Group/sub/app',
      CI_DEFAULT_BRANCH: 'main',
      CI_CONFIG_PATH: '.gitlab-ci.yml',
      CI_COMMIT_SHA: 'a'.repeat(40),
      CI_COMMIT_BRANCH: 'main',
      CI_COMMIT_REF_NAME: 'main',
      CI_COMMIT_REF_SLUG: 'main',
      CI_COMMIT_REF_PROTECTED: 'true',
      CI_COMMIT_TITLE: 'Say $HELLO',
      CI_COMMIT_DESCRIPTION: 'to all',
      CI_COMMIT_AUTHOR: 'Ann <ann@example.com>',
      CI_PIPELINE_SOURCE: 'push',
      CI_PIPELINE_IID: '7',
      CI_PIPELINE_CREATED_AT: '1970-01-01T00:00:00Z',
      CI_JOB_NAME: 'a b',
      CI_JOB_NAME_SLUG: 'a-b',
      CI_JOB_STAGE: 'build',
      CI_JOB_MANUAL: 'true',
      GITLAB_USER_LOGIN: 'ann',
      GITLAB_USER_ID: '1000',
    });
  });

  test('of a tag, of a merge request and of a folder without remote', async () => {
    const ofTag = variablesOf(await job('a: {script: x}\n', 'a', { gitFacts: tag('v/1') }));
    expect(ofTag).toMatchObject({ CI_COMMIT_TAG: 'v/1', CI_COMMIT_REF_SLUG: 'v-1', CI_COMMIT_REF_PROTECTED: 'false' });
    expect(ofTag).not.toHaveProperty('CI_COMMIT_BRANCH');

    const yaml = 'a: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID}]}\n';
    const ofRequest = variablesOf(
      await job(yaml, 'a', { mergeRequest: { iid: 5, targetBranch: 'main', labels: ['x', 'y'] } }),
    );
    expect(ofRequest).toMatchObject({
      CI_PIPELINE_SOURCE: 'merge_request_event',
      CI_MERGE_REQUEST_IID: '5',
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'main',
      CI_MERGE_REQUEST_LABELS: 'x,y',
    });
    expect(ofRequest).not.toHaveProperty('CI_COMMIT_BRANCH');

    const bare = variablesOf(
      await job('a: {script: x}\n', 'a', { gitFacts: { ...mainBranch, remote: undefined, remoteUrl: undefined } }),
    );
    expect(bare).toMatchObject({ CI_PROJECT_NAME: 'app', CI_PROJECT_PATH: 'local/app' });
    expect(bare).not.toHaveProperty('CI_SERVER_URL');
  });

  test('explained with where they come from', async () => {
    const { jobs } = await compile('variables: {A: "$B"}\na: {script: x, variables: {B: b}}\n', {
      userVariables: [user('project', 'TOKEN', 'secret', { masked: true })],
    });
    const all = jobs[0]?.variables() ?? [];
    expect(all).toContainEqual({ key: 'A', value: 'b', source: 'root variables' });
    expect(all).toContainEqual({ key: 'B', value: 'b', source: 'job variables' });
    expect(all).toContainEqual({ key: 'TOKEN', value: '[MASKED]', source: 'project variables' });
    expect(JSON.stringify(all)).not.toContain('secret');
  });
});
