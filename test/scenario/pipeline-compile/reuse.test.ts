import { describe, expect, test } from 'vitest';
import { compile, job, problemsOf, variablesOf } from '../../support/pipeline/compile.ts';

describe('extends', () => {
  test('parents merge left to right, then the job on top; lists are replaced, null removes', async () => {
    const yaml = `
.a: {image: one, variables: {A: a, B: a}, tags: [a], script: [a]}
.b: {extends: .a, variables: {B: b, C: b}, retry: 1}
.c: {variables: {C: c}}
job:
  extends: [.b, .c]
  tags: [x, y]
  retry: null
`;
    const sent = await job(yaml, 'job');
    expect(sent).toMatchObject({ tags: ['x', 'y'], image: { name: 'one' }, retry: { max: 0 } });
    expect(sent.steps[0]?.script).toEqual(['a']);
    expect(variablesOf(sent)).toMatchObject({ A: 'a', B: 'b', C: 'c' });
  });

  test('what is wrong with it', async () => {
    const deep = Array.from({ length: 13 }, (_, index) => `.d${index + 1}: {extends: .d${index}}`).join('\n');
    const yaml = `.list: [a]\nself: {extends: self, script: x}\na: {extends: [.no, .nope], script: x}\nb: {extends: .list, script: x}\nc: {extends: d, script: x}\nd: {extends: c, script: x}\n.d0: {script: x}\n${deep}\ne: {extends: {a: 1}, script: x}\n`;
    expect(await problemsOf(yaml)).toEqual([
      '2:17 self: circular dependency detected in `extends`',
      '3:14 a: unknown keys in `extends` (.no, .nope)',
      '4:14 b: invalid base hashes in `extends` (.list)',
      '6:14 d: circular dependency detected in `extends`',
      '18:17 .d11: nesting too deep in `extends`',
      '21:14 jobs:e extends should be an array of strings or a string',
    ]);
  });

  test('a problem in an inherited value points at where it was written', async () => {
    const files = {
      '.gitlab-ci.yml': 'include: [base.yml]\na: {extends: .base, script: x}\nb: {extends: .base, script: x}\n',
      'base.yml': '.base:\n  retry: 5\n',
    };
    expect(await problemsOf(files)).toEqual(['base.yml:2:10 jobs:a:retry config must be less than or equal to 2']);
  });
});

describe('!reference', () => {
  test('in scripts, rules, variables and nested in each other', async () => {
    const yaml = `
.setup:
  script: [one, two]
  rules: [{if: $CI}]
  variables: {A: a}
.more: {script: [!reference [.setup, script], three]}
job:
  script:
    - zero
    - !reference [.more, script]
  rules:
    - !reference [.setup, rules]
  variables: !reference [.setup, variables]
`;
    const sent = await job(yaml, 'job');
    expect(sent.steps[0]?.script).toEqual(['zero', 'one', 'two', 'three']);
    expect(variablesOf(sent)).toMatchObject({ A: 'a' });
  });

  test('sees what extends brought, and files that are included', async () => {
    const files = {
      '.gitlab-ci.yml': 'include: [x.yml]\n.child: {extends: .parent}\njob: {script: !reference [.child, script]}\n',
      'x.yml': '.parent: {script: [inherited]}\n',
    };
    expect((await job(files, 'job')).steps[0]?.script).toEqual(['inherited']);
  });

  test('what is wrong with it', async () => {
    const yaml = `a: {script: !reference [.no, script]}\nb: {script: !reference [c, script]}\nc: {script: !reference [b, script]}\n`;
    expect(await problemsOf(yaml)).toEqual([
      '1:24 !reference [".no", "script"] could not be found',
      '2:24 !reference ["c", "script"] is part of a circular chain',
    ]);
    expect(await problemsOf('a: {script: !reference x}\n')).toEqual([
      '1:24 Invalid YAML syntax: unknown tag !reference',
    ]);
    expect(await problemsOf('a: {script: !reference []}\n')).toEqual([
      '1:24 !reference takes a list of one or more keys',
    ]);
  });
});

describe('anchors and merge keys', () => {
  test('are resolved; explicit keys win, and the earlier map of a list', async () => {
    const yaml = `
.a: &a {image: one, tags: [a]}
.b: &b {image: two, retry: 1}
job:
  <<: [*a, *b]
  tags: [own]
  script: &s [x]
other: {<<: *b, script: *s}
`;
    expect(await job(yaml, 'job')).toMatchObject({ image: { name: 'one' }, tags: ['own'], retry: { max: 1 } });
    expect((await job(yaml, 'other')).steps[0]?.script).toEqual(['x']);
  });
});

describe('default and inherit', () => {
  test('a job takes what it does not set; an empty value counts as set, null does not', async () => {
    const yaml = `
default: {image: d, retry: 2, tags: [d], timeout: 2h, interruptible: true, before_script: [before], hooks: {pre_get_sources_script: [h]}}
a: {script: x}
b: {script: x, tags: [], before_script: [], image: null}
`;
    expect(await job(yaml, 'a')).toMatchObject({
      image: { name: 'd' },
      retry: { max: 2 },
      tags: ['d'],
      timeout_seconds: 7200,
      interruptible: true,
      steps: [{ name: 'script', script: ['before', 'x'] }],
      hooks: [{ name: 'pre_get_sources_script', script: ['h'] }],
    });
    expect(await job(yaml, 'b')).toMatchObject({ image: { name: 'd' }, tags: [], steps: [{ script: ['x'] }] });
  });

  test('inherit chooses', async () => {
    const yaml = `
default: {image: d, tags: [d]}
variables: {A: a, B: b}
none: {script: x, inherit: {default: false, variables: false}}
some: {script: x, inherit: {default: [tags], variables: [B]}}
`;
    expect(await job(yaml, 'none')).toMatchObject({ image: null, tags: [] });
    expect(await job(yaml, 'some')).toMatchObject({ image: null, tags: ['d'] });
    expect(variablesOf(await job(yaml, 'none'))).not.toHaveProperty('A');
    expect(variablesOf(await job(yaml, 'some'))).toMatchObject({ B: 'b' });
    expect(variablesOf(await job(yaml, 'some'))).not.toHaveProperty('A');
  });

  test('the old keys at the root mean the same, and not both may be there', async () => {
    expect(await job('image: old\nafter_script: [bye]\na: {script: x}\n', 'a')).toMatchObject({
      image: { name: 'old' },
      steps: [{}, { name: 'after_script', script: ['bye'], when: 'always', allow_failure: true }],
    });
    expect(await problemsOf('image: a\ndefault: {image: b}\nx: {script: x}\n')).toEqual([
      '1:1 image is defined in top-level and `default:` entry',
    ]);
  });

  test('a bad default is told once', async () => {
    expect(await problemsOf('default:\n  timeout: soon\na: {script: x}\nb: {script: x}\n')).toEqual([
      '2:12 default:timeout config should be a duration',
    ]);
  });
});

test('the effective configuration has all of it filled in', async () => {
  const yaml = 'default: {image: d}\n.t: {script: [a]}\njob: {extends: .t, variables: {A: 1}}\n';
  expect((await compile(yaml)).effective).toEqual({
    stages: ['.pre', 'build', 'test', 'deploy', '.post'],
    job: { script: ['a'], variables: { A: 1 }, image: 'd' },
  });
});
