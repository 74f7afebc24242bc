import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../../src/lib/errors.ts';
import { changed, compile } from '../../support/pipeline/compile.ts';

/** Whatever the text is, it compiles or gives problems with places. */
async function survives(text: string): Promise<void> {
  try {
    await compile(
      {
        '.gitlab-ci.yml': text,
        'other.yml': 'spec: {inputs: {a: {default: x}}}\n---\nb: {script: "$[[ inputs.a ]]"}\n',
      },
      {
        changedFiles: changed('a', 'b/c'),
      },
    );
  } catch (error) {
    expect(error).toBeInstanceOf(PipelineError);
    const { problems } = error as PipelineError;
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) {
      expect(problem.file).not.toBe('');
      expect(problem.line).toBeGreaterThanOrEqual(0);
    }
  }
}

const KEYWORDS = [
  'script stage needs rules if when changes exists paths compare_to variables extends include local inputs image services',
  'name entrypoint docker alias artifacts reports junit dotenv cache key files prefix policy retry max exit_codes parallel',
  'matrix environment on_stop action default inherit workflow auto_cancel on_job_failure only except refs release tag_name',
  'description pages publish secrets vault id_tokens aud hooks pre_get_sources_script allow_failure timeout tags stages',
  'coverage dependencies job optional interruptible start_in resource_group before_script after_script run trigger spec .hidden a b',
]
  .join(' ')
  .split(' ');
const TEXTS = [
  'x',
  'a',
  'b',
  '.hidden',
  'test',
  '$CI && $A =~ /ab/',
  '$A == "x"',
  '/^v.*/i',
  'other.yml',
  '*.yml',
  '${A}$B%C%',
  'on_success',
  'manual',
  'delayed',
  'always',
  'never',
  '5 minutes',
  '$[[ inputs.a | truncate(0,1) ]]',
  '$[[ matrix.A ]]',
  '**/*',
  '[',
  '',
  ' ',
  '../..',
];

const { node } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    fc.constantFrom(...TEXTS),
    fc.constantFrom<unknown>(null, true, false, 0, 1, 2, 3.5, -1, 1000),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYWORDS), tie('node'), { maxKeys: 5 }),
  ),
}));
const configuration = fc.dictionary(
  fc.constantFrom('a', 'b', '.hidden', 'default', 'workflow', 'variables', 'include', 'stages'),
  node,
  {
    minKeys: 1,
  },
);
/** Like `configuration`, with jobs that at least have a script, so that more of it is looked at. */
const jobs = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.dictionary(fc.constantFrom(...KEYWORDS), node, { maxKeys: 6 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => Object.fromEntries(list.map(([name, job]) => [name, { ...job, script: 'x' }])));

const SEED = `
spec: {inputs: {n: {default: x}}}
---
include: [{local: other.yml, inputs: {a: y}, rules: [{if: $CI}]}]
stages: [build, test]
variables: {A: $B, B: {value: b, expand: false}}
.base: &base
  image: {name: i, entrypoint: ['']}
  cache: {key: {files: [other.yml]}, paths: [p]}
a:
  <<: *base
  stage: build
  parallel: {matrix: [{OS: [l, m]}]}
  script: [one, !reference [.base, image, name]]
c:
  extends: .base
  needs: [{job: a, parallel: {matrix: [{OS: l}]}}]
  rules:
    - if: $CI_COMMIT_BRANCH =~ /ma.n/ && ($A || !$B)
      when: manual
      variables: {X: "1"}
    - changes: [b/*]
  script: x
  environment: {name: review/$CI_COMMIT_REF_SLUG, url: https://x}
`;

describe('nothing but problems comes of', () => {
  test('any text', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ maxLength: 200, unit: 'binary' }), survives), { numRuns: 200 });
  });

  test('keywords in the wrong places', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(configuration, jobs), async (value) => survives(JSON.stringify(value))),
      { numRuns: 600 },
    );
  });

  test('a configuration with some characters changed', async () => {
    const piece = fc.constantFrom(
      '',
      ' ',
      '\n',
      '\t',
      ':',
      '-',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '$',
      '*',
      '&',
      '!',
      '|',
      '0',
      'x',
      '\u0000',
      'é',
    );
    const edit = fc.record({ at: fc.nat(SEED.length), remove: fc.nat(6), insert: piece });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let text = SEED;
        for (const { at, remove, insert } of edits) text = text.slice(0, at) + insert + text.slice(at + remove);
        await survives(text);
      }),
      { numRuns: 400 },
    );
  });

  test('the configuration itself compiles', async () => {
    const { submission } = await compile({
      '.gitlab-ci.yml': SEED,
      'other.yml': 'spec: {inputs: {a: {}}}\n---\nz: {script: "$[[ inputs.a ]]"}\n',
    });
    expect(submission?.jobs.map((job) => job.name)).toEqual(['z', 'a: [l]', 'a: [m]', 'c']);
  });
});
