import { describe, expect, test } from 'vitest';
import { branch, compile, job, problemsOf, variablesOf } from '../../support/pipeline/compile.ts';

describe('workflow', () => {
  test('rules that say never, or do not match, keep the pipeline from running', async () => {
    for (const rules of ['[{if: $CI, when: never}]', '[{if: $NOPE}]']) {
      const compiled = await compile(`workflow: {rules: ${rules}}\na: {script: x}\n`);
      expect(compiled.submission).toBeUndefined();
      expect(compiled.notRun).toBe(
        'The pipeline did not run. Review the workflow:rules configuration for the pipeline.',
      );
      expect(compiled.jobs[0]).toMatchObject({ included: false, when: 'never' });
    }
  });

  test('variables of the matched rule are above root and below job variables', async () => {
    const yaml = `
variables: {A: root, B: root, C: root}
workflow:
  rules:
    - if: $CI_COMMIT_BRANCH == "other"
      variables: {A: wrong}
    - if: $CI_COMMIT_BRANCH
      variables: {A: workflow, B: workflow}
a: {script: x, variables: {B: job}, rules: [{if: '$A == "workflow"'}]}
`;
    expect(variablesOf(await job(yaml, 'a'))).toMatchObject({ A: 'workflow', B: 'job', C: 'root' });
  });

  test('the name is expanded and becomes CI_PIPELINE_NAME', async () => {
    const yaml = `variables: {WHAT: build}\nworkflow: {name: " $WHAT of $CI_COMMIT_BRANCH$NOPE "}\na: {script: x}\n`;
    const { submission } = await compile(yaml);
    expect(submission?.name).toBe('build of main');
    expect(variablesOf(await job(yaml, 'a'))).toMatchObject({ CI_PIPELINE_NAME: 'build of main' });
  });

  test('auto_cancel of the matched rule goes before the general one', async () => {
    const yaml = `
workflow:
  auto_cancel: {on_job_failure: all, on_new_commit: interruptible}
  rules:
    - if: $CI_COMMIT_BRANCH == "main"
      auto_cancel: {on_job_failure: none}
    - when: always
a: {script: x}
`;
    expect((await compile(yaml)).submission?.cancel_on_job_failure).toBe(false);
    expect((await compile(yaml, { gitFacts: branch('x') })).submission?.cancel_on_job_failure).toBe(true);
  });

  test('an empty pipeline says so', async () => {
    const compiled = await compile('a: {script: x, rules: [{if: $NOPE}]}\nb: {stage: .pre, script: x}\n');
    expect(compiled.submission).toBeUndefined();
    expect(compiled.notRun).toMatch(/^The resulting pipeline would have been empty/);
  });

  test('forms that do not fit', async () => {
    const yaml = `workflow:
  name: [a]
  foo: 1
  auto_cancel: {on_job_failure: some}
  rules:
    - when: manual
    - variables: [a]
a: {script: x}
`;
    expect(await problemsOf(yaml)).toEqual([
      '2:9 workflow name should be a string',
      '3:3 workflow config contains unknown keys: foo',
      '4:33 workflow:auto_cancel on job failure should be one of: none, all',
      '6:13 workflow:rules:rule when should be one of: always, never',
      '7:18 workflow:rules:rule:variables config should be a hash of key value pairs',
    ]);
  });
});
