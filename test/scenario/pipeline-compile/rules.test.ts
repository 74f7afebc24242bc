import { describe, expect, test } from 'vitest';
import {
  branch,
  changed,
  compile,
  type Extra,
  job,
  jobNames,
  problemsOf,
  tag,
  variablesOf,
} from '../../support/pipeline/compile.ts';

/** Whether a job with these rules runs. */
async function runs(rules: string, extra: Extra = {}): Promise<boolean> {
  const names = await jobNames(
    `always: {script: x}\njob:\n  script: x\n  variables: {OWN: "1"}\n  rules: ${rules}\n`,
    extra,
  );
  return names.includes('job');
}

describe('rules:if', () => {
  test.each([
    ['[{if: $CI_COMMIT_BRANCH}]', true],
    ['[{if: $CI_COMMIT_TAG}]', false],
    [`[{if: '$CI_COMMIT_BRANCH == "main"'}]`, true],
    [`[{if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE == "push"'}]`, true],
    [`[{if: '$NOPE == null'}]`, true],
    [`[{if: '$OWN == "1"'}]`, true],
    [`[{if: '$CI_COMMIT_BRANCH =~ /^MA/i'}]`, true],
    [`[{if: '$CI_COMMIT_BRANCH =~ /^MA/'}]`, false],
    [`[{if: '$CI_COMMIT_BRANCH !~ /^feature\\//'}]`, true],
    [`[{if: '"23" =~ "1234"'}]`, true],
    [`[{if: '!$NOPE'}]`, true],
    [`[{if: '$CI_COMMIT_BRANCH', when: never}]`, false],
    [`[{if: '$NOPE', when: never}, {when: always}]`, true],
    [`[[{if: '$NOPE'}], [[{if: '$CI'}]]]`, true],
  ])('%s', async (rules, expected) => {
    expect(await runs(rules)).toBe(expected);
  });

  test('compares unexpanded values', async () => {
    const yaml = `variables: {B: x, A: $B}\nhit: {script: x, rules: [{if: '$A == "x"'}]}\nraw: {script: x, rules: [{if: '$A == "$B"'}]}\n`;
    expect(await jobNames(yaml)).toEqual(['raw']);
  });

  test('a variable can hold the regular expression', async () => {
    const yaml = `variables: {RE: /^ma.n$/}\na: {script: x, rules: [{if: $CI_COMMIT_BRANCH =~ $RE}]}\n`;
    expect(await jobNames(yaml)).toEqual(['a']);
  });

  test('bad expressions are named with their place and reason', async () => {
    const yaml = `a:\n  script: x\n  rules:\n    - if: $A =\n    - if: \${A} == "x"\n    - if: $A =~ /[/\n    - if: "$A =~ /(ab/"\n    - if: 5\n`;
    expect(await problemsOf(yaml)).toEqual([
      '4:11 jobs:a:rules:rule if invalid expression syntax',
      '5:11 jobs:a:rules:rule if invalid expression syntax',
      '6:11 jobs:a:rules:rule if invalid expression syntax',
      '7:11 jobs:a:rules:rule if invalid expression syntax',
      '8:11 jobs:a:rules:rule if should be a string',
    ]);
  });
});

describe('rules:changes', () => {
  test.each<[string, Extra, boolean]>([
    ['[{changes: [src/**/*]}]', { changedFiles: changed('src/a/b.ts') }, true],
    ['[{changes: [src/*]}]', { changedFiles: changed('src/a/b.ts') }, false],
    ['[{changes: [src/**]}]', { changedFiles: changed('src/a/b.ts') }, false],
    ['[{changes: ["*.{md,txt}"]}]', { changedFiles: changed('a.txt') }, true],
    [
      '[{changes: [$DIR/*]}]',
      { changedFiles: changed('d/a'), userVariables: [{ key: 'DIR', value: 'd', level: 'project' }] },
      true,
    ],
    ['[{changes: {paths: [a], compare_to: refs/heads/x}}]', { changedFiles: changed('a') }, true],
    ['[{changes: [a]}]', { changedFiles: changed() }, false],
    ['[{changes: [a]}]', {}, true],
    ['[{changes: [a]}]', { changedFiles: changed(), evaluateChanges: false }, true],
    [`[{changes: [a], if: $NOPE}]`, { changedFiles: changed('a') }, false],
  ])('%s', async (rules, extra, expected) => {
    expect(await runs(rules, extra)).toBe(expected);
  });

  test('a compare_to that names no commit is a problem', async () => {
    const yaml = 'a:\n  script: x\n  rules:\n    - changes: {paths: [a], compare_to: bad-ref}\n';
    expect(await problemsOf(yaml, { changedFiles: changed('a') })).toEqual([
      '4:24 rules:changes:compare_to is not a valid ref',
    ]);
  });

  test('a base that is not known makes it true', async () => {
    expect(await runs('[{changes: [a]}]', { changedFiles: { compare: async () => ({ kind: 'unknown_base' }) } })).toBe(
      true,
    );
  });
});

describe('rules:exists', () => {
  test.each([
    ['[Dockerfile]', true],
    ['Dockerfile', true],
    ['["**/*.go"]', true],
    ['["*.go"]', false],
    ['[src/]', true],
    ['{paths: [nope]}', false],
    ['["$NAME"]', true],
  ])('%s', async (exists, expected) => {
    const yaml = `variables: {NAME: Dockerfile}\nalways: {script: x}\na: {script: x, rules: [{exists: ${exists}}]}\n`;
    const names = await jobNames({ '.gitlab-ci.yml': yaml, Dockerfile: 'x', 'src/a.go': 'x' });
    expect(names.includes('a')).toBe(expected);
  });

  test('other projects cannot be looked into', async () => {
    const yaml = 'a:\n  script: x\n  rules: [{exists: {paths: [a], project: g/p}}]\n';
    expect(await problemsOf(yaml)).toEqual(['3:33 jobs:a:rules:rule:exists project cannot be looked into locally']);
  });
});

describe('what a rule sets', () => {
  test('when, variables, allow_failure, start_in, interruptible and needs', async () => {
    const yaml = `
build: {stage: build, script: x}
other: {stage: build, script: x}
a:
  script: x
  needs: [other]
  variables: {V: job, W: job}
  rules:
    - if: $CI
      when: delayed
      start_in: 5 minutes
      allow_failure: true
      interruptible: true
      variables: {V: rule}
      needs: [build]
`;
    const sent = await job(yaml, 'a');
    expect(sent).toMatchObject({
      when: 'delayed',
      start_in_seconds: 300,
      allow_failure: true,
      interruptible: true,
      needs: [{ job: 'build', artifacts: true }],
    });
    expect(variablesOf(sent)).toMatchObject({ V: 'rule', W: 'job' });
  });

  test('empty needs of a rule mean no needs', async () => {
    const yaml = 'b: {stage: build, script: x}\na: {script: x, needs: [b], rules: [{if: $CI, needs: []}]}\n';
    expect((await job(yaml, 'a')).needs).toEqual([]);
  });

  test.each([
    ['when: manual', true, 'manual'],
    ['when: manual, rules: [{if: $CI}]', true, 'manual'],
    ['rules: [{if: $CI, when: manual}]', false, 'manual'],
    ['when: manual, rules: [{if: $CI, when: manual}]', true, 'manual'],
    ['when: manual, allow_failure: false', false, 'manual'],
    ['rules: [{if: $CI, when: manual, allow_failure: true}]', true, 'manual'],
    ['when: on_failure', false, 'on_failure'],
  ])('%s', async (keys, allowFailure, when) => {
    expect(await job(`a: {script: x, ${keys}}\n`, 'a')).toMatchObject({ allow_failure: allowFailure, when });
  });

  test('allow_failure of a rule clears the exit codes', async () => {
    const codes = 'allow_failure: {exit_codes: [3, 4]}';
    expect(await job(`a: {script: x, ${codes}}\n`, 'a')).toMatchObject({
      allow_failure: false,
      allow_failure_exit_codes: [3, 4],
    });
    expect(await job(`a: {script: x, ${codes}, rules: [{if: $CI, allow_failure: false}]}\n`, 'a')).toMatchObject({
      allow_failure_exit_codes: [],
    });
  });

  test('forms that do not fit', async () => {
    const yaml = `a:
  script: x
  only: [main]
  start_in: 1 day
  rules:
    - when: sometimes
    - start_in: 5 minutes
    - {when: delayed}
    - {when: delayed, start_in: 8 days}
    - {when: delayed, start_in: soon}
    - {foo: 1}
    - text
b: {script: x, rules: []}
c: {script: x, rules: {if: $CI}}
`;
    expect(await problemsOf(yaml)).toEqual([
      '3:3 jobs:a config key may not be used with `rules`: only, start_in',
      '6:13 jobs:a:rules:rule when should be one of: on_success, on_failure, always, never, manual, delayed',
      '7:17 jobs:a:rules:rule start in must be blank',
      '8:8 jobs:a:rules:rule start in should be a duration',
      '9:33 jobs:a:rules:rule start in should not exceed the limit',
      '10:33 jobs:a:rules:rule start in should be a duration',
      '11:8 jobs:a:rules:rule config contains unknown keys: foo',
      '12:7 jobs:a:rules:rule config should be a hash',
      "13:23 jobs:b:rules config can't be blank",
      '14:23 jobs:c:rules config should be an array of hashes',
    ]);
  });
});

describe('why', () => {
  test('each rule, clause and value is told, masked values hidden', async () => {
    const yaml = `a: {script: x, rules: [{if: '$SECRET == "x"'}, {if: '$CI_COMMIT_BRANCH == "dev" && $NOPE', when: never}]}\nb: {script: x}\n`;
    const { jobs } = await compile(yaml, {
      userVariables: [{ key: 'SECRET', value: 's', level: 'project', masked: true }],
    });
    expect(jobs[0]).toMatchObject({ name: 'a', included: false, when: 'never', reason: 'no rule matches' });
    expect(jobs[0]?.rules.map((rule) => rule.clauses[0])).toEqual([
      { kind: 'if', text: '$SECRET == "x"', holds: false, variables: { SECRET: '[MASKED]' } },
      {
        kind: 'if',
        text: '$CI_COMMIT_BRANCH == "dev" && $NOPE',
        holds: false,
        variables: { CI_COMMIT_BRANCH: 'main', NOPE: null },
      },
    ]);
    expect(jobs[1]).toMatchObject({ included: true, reason: 'it has no rules' });
  });

  test('a last rule without conditions gets the warning about two pipelines', async () => {
    const yaml = 'a: {script: x, rules: [{if: $NOPE}, {when: on_success}]}\n';
    expect((await compile(yaml)).notices.map((notice) => notice.message)).toEqual([
      'jobs:a may allow multiple pipelines to run for a single action due to `rules:when` clause with no `workflow:rules`',
    ]);
  });
});

describe('only and except', () => {
  const cases: readonly [string, Extra, boolean][] = [
    ['', {}, true],
    ['', { gitFacts: tag('v1') }, true],
    ['', { mergeRequest: { iid: 1, targetBranch: 'main' } }, false],
    ['only: [main]', {}, true],
    ['only: main', {}, true],
    ['only: [main]', { gitFacts: branch('x') }, false],
    ['only: [tags]', {}, false],
    ['only: [tags]', { gitFacts: tag('v1') }, true],
    ['only: [/^v\\d+$/]', { gitFacts: tag('v1') }, true],
    ['only: [/^V\\d+$/i]', { gitFacts: tag('v1') }, true],
    ['only: [merge_requests]', { mergeRequest: { iid: 1, targetBranch: 'main' } }, true],
    ['only: [merge_requests]', {}, false],
    ['only: [pushes]', {}, true],
    ['only: [schedules]', { source: 'schedule' }, true],
    ['only: [web]', { source: 'web' }, true],
    ['only: [main@Group/sub/app]', {}, true],
    ['only: [main@other/app]', {}, false],
    ['except: [main]', {}, false],
    ['except: [branches]', { gitFacts: tag('v1') }, true],
    [`only: {variables: ['$X == "1"']}`, {}, false],
    [`only: {variables: ['$X == "1"', '$CI']}`, {}, true],
    ['only: {refs: [main], changes: [a]}', { changedFiles: changed('b') }, false],
    ['only: {changes: [a]}', { changedFiles: changed('a') }, true],
    ['except: {changes: [a]}', {}, false],
    ['only: {kubernetes: active}', {}, false],
  ];
  test.each(cases)('%s', async (keys, extra, expected) => {
    const yaml = `other: {script: x, rules: [{when: always}]}\njob: {script: x${keys === '' ? '' : `, ${keys}`}}\n`;
    expect((await jobNames(yaml, extra)).includes('job')).toBe(expected);
  });

  test('with workflow:rules jobs without conditions run for merge requests too', async () => {
    const yaml = 'workflow: {rules: [{when: always}]}\na: {script: x}\n';
    expect(await jobNames(yaml, { mergeRequest: { iid: 1, targetBranch: 'main' } })).toEqual(['a']);
  });
});
