import { describe, expect, test } from 'vitest';
import { changed, compile, job, jobNames, problemsOf, variablesOf } from '../../support/pipeline/compile.ts';

describe('include', () => {
  test('files in order, nested ones below, the including file on top', async () => {
    const files = {
      '.gitlab-ci.yml': 'include:\n  - local: /ci/a.yml\n  - ci/b.yml\nvariables: {ROOT: root}\njob: {image: root}\n',
      'ci/a.yml': 'include: ci/nested.yaml\nvariables: {A: a, N: a}\njob: {image: a, tags: [a]}\n',
      'ci/b.yml': 'variables: {A: b}\njob: {tags: [b]}\n',
      'ci/nested.yaml': 'variables: {N: nested, ROOT: nested}\njob: {script: nested, image: nested}\n',
    };
    const sent = await job(files, 'job');
    expect(sent).toMatchObject({ image: { name: 'root' }, tags: ['b'], steps: [{ script: ['nested'] }] });
    expect(variablesOf(sent)).toMatchObject({ A: 'b', N: 'a', ROOT: 'root' });
  });

  test('patterns: one star stops at a slash, two do not; no match is fine; files already there are skipped', async () => {
    const files = {
      '.gitlab-ci.yml':
        'include: [{local: "ci/*.yml"}, {local: "deep/**.yml"}, {local: "none/*.yml"}]\nz: {script: x}\n',
      'ci/a.yml': 'a: {script: x}\n',
      'ci/sub/b.yml': 'b: {script: x}\n',
      'deep/c.yml': 'c: {script: x}\n',
      'deep/er/d.yml': 'd: {script: x}\n',
    };
    expect((await jobNames(files)).toSorted()).toEqual(['a', 'c', 'd', 'z']);
  });

  test('variables of the server and the user in locations, none of the file', async () => {
    const files = {
      '.gitlab-ci.yml': 'variables: {DIR: no}\ninclude: ["$DIR/$CI_COMMIT_BRANCH.yml"]\n',
      'yes/main.yml': 'a: {script: x}\n',
    };
    expect(await jobNames(files, { userVariables: [{ key: 'DIR', value: 'yes', level: 'pipeline' }] })).toEqual(['a']);
    expect(await problemsOf(files)).toEqual(['2:11 Local file `main.yml` does not exist!']);
  });

  test.each([
    ['[{if: $CI_COMMIT_BRANCH == "main"}]', true],
    ['[{if: $CI_COMMIT_BRANCH == "x"}]', false],
    ['[{if: $CI, when: never}]', false],
    ['[{exists: [a.yml]}]', true],
    ['[{exists: [nope]}]', false],
    ['[{changes: [a.yml]}]', true],
    ['[{changes: [b.yml]}]', false],
  ])('rules %s', async (rules, expected) => {
    const files = {
      '.gitlab-ci.yml': `include:\n  - local: a.yml\n    rules: ${rules}\nb: {script: x}\n`,
      'a.yml': 'a: {script: x}\n',
    };
    expect((await jobNames(files, { changedFiles: changed('a.yml') })).includes('a')).toBe(expected);
  });

  test('what is wrong with them, each with its place', async () => {
    const files = {
      '.gitlab-ci.yml': `
include:
  - nope.yml
  - text.md
  - empty.yml
  - list.yml
  - broken.yml
  - https://example.com/a.yml
  - {project: g/p, file: a.yml}
  - {template: Jobs/Build.gitlab-ci.yml}
  - {remote: "https://example.com/b.yml"}
  - {component: $CI_SERVER_FQDN/g/p/c@1}
  - {local: a.yml, remote: b}
  - {foo: 1}
  - {local: ok.yml, bar: 1}
a: {script: x}
`,
      'empty.yml': '\n',
      'list.yml': '- a\n',
      'broken.yml': 'a: [\n',
      'ok.yml': 'b: {script: x}\n',
    };
    const problems = await problemsOf(files);
    expect(problems).toEqual(
      expect.arrayContaining([
        '3:5 Local file `nope.yml` does not exist!',
        '4:5 Included file `text.md` does not have YAML extension!',
        '5:5 Local file `empty.yml` is empty!',
        'list.yml:1:1 Invalid configuration format',
        '8:5 include: `remote` includes are not supported locally',
        '9:6 include: `project` includes are not supported locally',
        '10:6 include: `template` includes are not supported locally',
        '11:6 include: `remote` includes are not supported locally',
        '12:6 include: `component` includes are not supported locally',
        '13:5 include config Each include must use only one of: `local`, `project`, `remote`, `template`, `artifact`, `component`',
        '14:5 include config does not have a valid subkey for include. Valid subkeys are: `local`, `project`, `remote`, `template`, `artifact`, `component`',
        '15:21 include config contains unknown keys: bar',
      ]),
    );
    expect(problems.some((problem) => /^broken\.yml:\d+:\d+ Invalid YAML syntax/.test(problem))).toBe(true);
  });

  test('an include of another kind that its rules leave out is no problem', async () => {
    const yaml = (condition: string): string =>
      `include: [{project: g/p, file: a.yml, rules: [{if: ${condition}}]}]\na: {script: x}\n`;
    expect(await jobNames(yaml('$NOPE'))).toEqual(['a']);
    expect(await problemsOf(yaml('$CI'))).toEqual(['1:12 include: `project` includes are not supported locally']);
  });

  test('a file that includes itself ends at the limit', async () => {
    expect(await problemsOf({ '.gitlab-ci.yml': 'include: .gitlab-ci.yml\na: {script: x}\n' })).toEqual([
      '1:10 Maximum of 150 nested includes are allowed!',
    ]);
  });

  test('no file, nothing in it, no map', async () => {
    expect(await problemsOf({})).toEqual(['0:0 Missing CI config file: .gitlab-ci.yml']);
    expect(await problemsOf('\n')).toEqual(['0:0 Please provide content of .gitlab-ci.yml']);
    expect(await problemsOf('# only\n')).toEqual(['0:0 Please provide content of .gitlab-ci.yml']);
    expect(await problemsOf('- a\n')).toEqual(['1:1 Invalid configuration format']);
  });
});

describe('inputs', () => {
  const header = `
spec:
  inputs:
    name: {default: job}
    count: {type: number, default: 2}
    go: {type: boolean, default: true}
    list: {type: array, default: [a, b]}
    stage: {options: [build, test], default: test}
    tag: {regex: ^v\\d, default: v1}
---
`;
  const body = `
"$[[ inputs.name ]]-x":
  stage: $[[ inputs.stage ]]
  script:
    - echo $[[ inputs.tag | truncate(0,1) ]] $[[inputs.list]]
    - $[[ inputs.list ]]
  parallel: $[[ inputs.count ]]
  interruptible: $[[ inputs.go ]]
  tags: ["$[[ inputs.list[1] ]]"]
`;
  test('defaults keep their type, lists are spliced into lists, keys are filled in', async () => {
    expect(await job(header + body, 'job-x 1/2')).toMatchObject({
      interruptible: true,
      tags: ['b'],
      steps: [{ script: ['echo v ["a","b"]', 'a', 'b'] }],
    });
  });

  test('an include gives values, also as JSON text', async () => {
    const files = {
      '.gitlab-ci.yml':
        'include:\n  - local: t.yml\n    inputs: {name: n, count: "3", go: false, list: ["$[[ x"], stage: build}\n',
      't.yml': header + body.replace('[1]', '[0]'),
    };
    expect(await job(files, 'n-x 3/3')).toMatchObject({ stage: 'build', interruptible: false, tags: ['$[[ x'] });
  });

  test('the root file gets them from the caller', async () => {
    expect(await jobNames(header + body, { inputs: { name: 'cli', count: 1 } })).toEqual(['cli-x 1/1']);
  });

  test('rules choose options and defaults', async () => {
    const yaml = `
spec:
  inputs:
    env: {default: dev}
    size:
      rules:
        - {if: '$[[ inputs.env ]] == "prod"', options: [l, xl], default: xl}
        - {options: [s], default: s}
---
a: {script: "$[[ inputs.size ]]"}
`;
    expect((await job(yaml, 'a')).steps[0]?.script).toEqual(['s']);
    expect((await job(yaml, 'a', { inputs: { env: 'prod' } })).steps[0]?.script).toEqual(['xl']);
    expect(await problemsOf(yaml, { inputs: { size: 'xl' } })).toEqual([
      '--input:0:0 `.gitlab-ci.yml`: `size` input: `xl` cannot be used because it is not in the list of allowed options',
    ]);
  });

  test('functions', async () => {
    const yaml = `
spec: {inputs: {a: {default: "it's $CI_COMMIT_BRANCH"}}}
---
a: {script: ["$[[ inputs.a | expand_vars | posix_escape ]]"]}
`;
    expect((await job(yaml, 'a')).steps[0]?.script).toEqual(["it\\'s\\ main"]);
  });

  test('what is wrong with them', async () => {
    const files = {
      '.gitlab-ci.yml': `include:
  - local: t.yml
    inputs: {wrong: 1, n: x, o: z, r: 1}
  - local: plain.yml
    inputs: {a: 1}
`,
      't.yml': `spec:
  inputs:
    must:
    n: {type: number}
    o: {options: [a]}
    r: {regex: ^v}
---
a:
  script:
    - $[[ inputs.nope ]]
    - $[[ foo.bar ]]
    - $[[ inputs.o | upcase ]]
    - $[[ inputs ]]
`,
      'plain.yml': 'b: {script: "$[[ inputs.a ]]"}\n',
    };
    const problems = await problemsOf(files);
    expect(problems).toEqual([
      '2:5 `t.yml`: `must` input: required value has not been provided',
      '3:14 `t.yml`: unknown input arguments: wrong',
      '3:24 `t.yml`: `n` input: provided value is not a number',
      '3:30 `t.yml`: `o` input: `z` cannot be used because it is not in the list of allowed options',
      '4:5 `plain.yml`: Given inputs not defined in the `spec` section of the included configuration file',
      't.yml:10:7 `t.yml`: unknown interpolation provided: `nope` in `inputs.nope`',
      't.yml:11:7 `t.yml`: unknown interpolation provided: `foo` in `foo.bar`',
      't.yml:12:7 `t.yml`: no function matching `upcase`: check that the function name, arguments, and types are correct',
      't.yml:13:7 `t.yml`: invalid pattern used for interpolation. valid pattern is $[[ inputs.input ]]',
    ]);
  });

  test('without a header blocks stay as text', async () => {
    expect((await job('a: {script: "$[[ inputs.a ]]"}\n', 'a')).steps[0]?.script).toEqual(['$[[ inputs.a ]]']);
  });

  test('rules of jobs know no inputs', async () => {
    expect(await problemsOf(`a: {script: x, rules: [{if: '$[[ inputs.a ]] == "x"'}]}\n`)).toEqual([
      '1:29 jobs:a:rules:rule if invalid expression syntax',
    ]);
  });

  test('header files can be included', async () => {
    const files = {
      '.gitlab-ci.yml': 'spec: {include: [{local: in.yml}]}\n---\na: {script: "$[[ inputs.x ]]"}\n',
      'in.yml': 'inputs: {x: {default: shared}}\n',
    };
    expect((await job(files, 'a')).steps[0]?.script).toEqual(['shared']);
  });
});

test('a second document without a header is told', async () => {
  const { notices } = await compile('a: {script: x}\n---\nb: {script: x}\n');
  expect(notices.map((notice) => notice.message)).toEqual(['only the first document of the file counts']);
});
