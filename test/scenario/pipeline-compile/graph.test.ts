import { describe, expect, test } from 'vitest';
import { compile, job, jobNames, problemsOf, variablesOf } from '../../support/pipeline/compile.ts';

describe('stages', () => {
  test('.pre is first and .post last wherever they are written', async () => {
    const yaml = 'stages: [.post, a, [b, [.pre, c]], a]\nx: {stage: a, script: x}\n';
    expect((await compile(yaml)).submission?.stages).toEqual(['.pre', 'a', 'b', 'c', '.post']);
  });

  test('jobs are in test by default, and stages must exist', async () => {
    expect((await job('a: {script: x}\n', 'a')).stage).toBe('test');
    expect(await problemsOf('stages: [b]\na: {script: x}\nc:\n  stage: nope\n  script: x\n')).toEqual([
      '2:1 a job: chosen stage test does not exist; available stages are .pre, b, .post',
      '4:10 c job: chosen stage nope does not exist; available stages are .pre, b, .post',
    ]);
  });
});

describe('needs', () => {
  test('none means by stage, an empty list means at once', async () => {
    const yaml =
      'a: {stage: build, script: x}\nb: {script: x}\nc: {script: x, needs: []}\nd: {script: x, needs: [a, {job: b, artifacts: false}]}\n';
    expect((await job(yaml, 'b')).needs).toBeNull();
    expect((await job(yaml, 'c')).needs).toEqual([]);
    expect((await job(yaml, 'd')).needs).toEqual([
      { job: 'a', artifacts: true },
      { job: 'b', artifacts: false },
    ]);
  });

  test('optional needs that are not there are left out', async () => {
    const yaml = `a: {stage: build, script: x, rules: [{if: $NOPE}]}\nb: {script: x, needs: [{job: a, optional: true}, {job: gone, optional: true}]}\n`;
    expect((await job(yaml, 'b')).needs).toEqual([]);
  });

  test('needs that the rules left out are a problem', async () => {
    const yaml = `a: {stage: build, script: x, rules: [{if: $NOPE}]}\nb:\n  script: x\n  needs: [a]\n`;
    expect(await problemsOf(yaml)).toEqual([
      "4:11 'b' job needs 'a' job, but 'a' does not exist in the pipeline. This might be because of the only, except, or rules keywords. To need a job that sometimes does not exist in the pipeline, use needs:optional.",
    ]);
  });

  test('what is wrong with them', async () => {
    const yaml = `
a: {stage: build, script: x, needs: [b]}
b: {script: x, needs: [nope, self]}
self: {script: x, needs: [self]}
c: {script: x, needs: [a, a]}
d: {script: x, needs: a}
e: {script: x, needs: [5]}
f: {script: x, needs: [{job: a, foo: 1}]}
`;
    expect(await problemsOf(yaml)).toEqual([
      '2:38 a job: need b is not defined in current or prior stages',
      '3:24 b job: undefined need: nope',
      '4:1 The pipeline has circular dependencies: self-dependency: self',
      '5:24 c has the following needs duplicated: a.',
      '6:23 jobs:d:needs config can only be a hash or an array',
      '7:24 jobs:e:needs:need has an unsupported type',
      '8:33 jobs:f:needs:need config contains unknown keys: foo',
    ]);
  });

  test('needs of other projects and pipelines are a problem where the job would run', async () => {
    const yaml = `
g: {script: x, needs: [{project: g/p, job: j, ref: main, artifacts: true}]}
h: {script: x, needs: [{pipeline: $PARENT, job: j}]}
i: {script: x, rules: [{if: $NOPE}], needs: [{pipeline: $PARENT, job: j}]}
`;
    expect(await problemsOf(yaml)).toEqual([
      '2:25 jobs:g:needs `needs:project` is not supported locally',
      '3:25 jobs:h:needs `needs:pipeline` is not supported locally',
    ]);
  });

  test('a circle', async () => {
    const yaml = 'a: {script: x, needs: [c]}\nb: {script: x, needs: [a]}\nc: {script: x, needs: [b]}\n';
    expect(await problemsOf(yaml)).toEqual(['1:1 The pipeline has circular dependencies: a, c, b']);
  });

  test('a circle that only the rules make', async () => {
    const yaml = 'a: {script: x, rules: [{if: $CI, needs: [b]}]}\nb: {script: x, needs: [a]}\n';
    expect(await problemsOf(yaml)).toEqual(['1:1 The pipeline has circular dependencies: a, b']);
  });

  test('no more than fifty', async () => {
    const jobs = Array.from({ length: 51 }, (_, index) => `j${index}`);
    const yaml = `${jobs.map((name) => `${name}: {stage: build, script: x}`).join('\n')}\nz:\n  script: x\n  needs: [${jobs.join(', ')}]\n`;
    expect((await problemsOf(yaml))[0]).toMatch(/z job: one job can only need 50 others, but you have listed 51\.$/);
  });
});

describe('dependencies', () => {
  test('are names of earlier jobs, all instances of parallel ones, only those that are there', async () => {
    const yaml = `
a: {stage: build, script: x, parallel: 2}
gone: {stage: build, script: x, rules: [{if: $NOPE}]}
b: {script: x, dependencies: [a, gone]}
c: {script: x, dependencies: []}
`;
    expect((await job(yaml, 'b')).dependencies).toEqual(['a 1/2', 'a 2/2']);
    expect((await job(yaml, 'c')).dependencies).toEqual([]);
  });

  test('what is wrong with them', async () => {
    const yaml = `
a: {stage: build, script: x, dependencies: [b, nope]}
b: {script: x, needs: [a], dependencies: [c]}
c: {stage: build, script: x}
d: {script: x, dependencies: a}
`;
    expect(await problemsOf(yaml)).toEqual([
      '2:45 a job: dependency b is not defined in current or prior stages',
      '2:48 a job: undefined dependency: nope',
      '3:43 b job: dependencies the c should be part of needs',
      '5:30 jobs:d:dependencies config should be an array of strings',
    ]);
  });
});

describe('parallel', () => {
  test('a number', async () => {
    const yaml =
      'a: {stage: build, script: x, parallel: 3}\nb: {script: x, needs: [a]}\nc: {script: x, needs: ["a 2/3"]}\n';
    expect(await jobNames(yaml)).toEqual(['a 1/3', 'a 2/3', 'a 3/3', 'b', 'c']);
    expect(variablesOf(await job(yaml, 'a 2/3'))).toMatchObject({
      CI_NODE_INDEX: '2',
      CI_NODE_TOTAL: '3',
      CI_JOB_NAME: 'a 2/3',
      CI_JOB_GROUP_NAME: 'a',
    });
    expect(variablesOf(await job(yaml, 'b'))['CI_NODE_TOTAL']).toBe('1');
    expect(variablesOf(await job(yaml, 'b'))).not.toHaveProperty('CI_NODE_INDEX');
    expect((await job(yaml, 'b')).needs?.map((need) => need.job)).toEqual(['a 1/3', 'a 2/3', 'a 3/3']);
    expect((await job(yaml, 'c')).needs?.map((need) => need.job)).toEqual(['a 2/3']);
  });

  const matrix = `
a:
  stage: build
  script: x
  variables: {OS: job, OTHER: job}
  rules: [{if: '$ARCH != "arm"'}]
  parallel:
    matrix:
      - {OS: [linux, mac], ARCH: [amd, arm]}
      - {OS: win, ARCH: 1.10}
`;
  test('a matrix: products in order, values become variables that rules see', async () => {
    expect(await jobNames(matrix)).toEqual(['a: [linux, amd]', 'a: [mac, amd]', 'a: [win, 1.1]']);
    const sent = await job(matrix, 'a: [win, 1.1]');
    expect(variablesOf(sent)).toMatchObject({
      OS: 'win',
      ARCH: '1.1',
      OTHER: 'job',
      CI_NODE_INDEX: '5',
      CI_NODE_TOTAL: '5',
    });
  });

  test('needs with a matrix name exact instances', async () => {
    const yaml = `${matrix}b:\n  script: x\n  needs:\n    - job: a\n      parallel: {matrix: [{OS: [linux, mac], ARCH: amd}]}\n`;
    expect((await job(yaml, 'b')).needs?.map((need) => need.job)).toEqual(['a: [linux, amd]', 'a: [mac, amd]']);
    const partial = `${matrix}b:\n  script: x\n  needs:\n    - job: a\n      parallel: {matrix: [{OS: linux}]}\n`;
    expect(await problemsOf(partial)).toEqual(['14:7 b job: undefined need: a: [linux]']);
  });

  test('matrix expressions in needs are filled in per instance', async () => {
    const yaml = `
a: {stage: build, script: x, parallel: {matrix: [{OS: [l, m]}]}}
b:
  script: x
  parallel: {matrix: [{OS: [l, m]}]}
  needs: [{job: a, parallel: {matrix: [{OS: ["$[[ matrix.OS ]]"]}]}}]
c:
  script: x
  parallel: {matrix: [{OS: [l, m]}]}
  needs: ["a: [$[[ matrix.OS ]]]"]
`;
    expect((await job(yaml, 'b: [m]')).needs?.map((need) => need.job)).toEqual(['a: [m]']);
    expect((await job(yaml, 'c: [l]')).needs?.map((need) => need.job)).toEqual(['a: [l]']);
    const missing = yaml.replace('matrix.OS ]]]"]', 'matrix.NO ]]]"]');
    expect(await problemsOf(missing)).toContain("10:11 c job: 'NO' does not exist in matrix configuration");
  });

  test('what is wrong with it', async () => {
    const yaml = `
a: {script: x, parallel: 0}
b: {script: x, parallel: 201}
c: {script: x, parallel: many}
d: {script: x, parallel: {matrix: {A: 1}}}
e: {script: x, parallel: {matrix: [{A: [1, [2]]}]}}
f: {script: x, parallel: {matrix: [{A: [${'x,'.repeat(20)}], B: [${'y,'.repeat(20)}]}]}}
g: {script: x, parallel: {foo: 1}}
`;
    expect(await problemsOf(yaml)).toEqual(
      [
        '2:26 jobs:a:parallel config must be greater than or equal to 1',
        '3:26 jobs:b:parallel config must be less than or equal to 200',
        '4:26 jobs:c:parallel config should be an integer or a hash',
        '5:35 jobs:d:parallel:matrix config should be an array of hashes',
        '6:44 jobs:e:parallel:matrix:A config should be a hash of key value pairs, value can be an array',
        '7:35 jobs:f:parallel:matrix config generates too many jobs (maximum is 200)',
        '8:27 jobs:g:parallel config contains unknown keys: foo',
        '8:26 jobs:g:parallel config missing required keys: matrix',
      ].toSorted((left, right) => Number.parseInt(left) - Number.parseInt(right) || left.localeCompare(right)),
    );
  });
});
