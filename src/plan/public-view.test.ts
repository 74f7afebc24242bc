import { expect, it } from 'vitest';
import { payloadFixture, planRequestFixture, variablesFixture } from '../../test/support/plan-fixtures.ts';
import { planBuild } from './plan-build.ts';
import { publicView } from './public-view.ts';

it('hides what is not public wherever it stands, and shows the rest', () => {
  const payload = payloadFixture({
    variables: [
      ...variablesFixture({ SHOWN: 'public value', MIXED: 'has $PRIVATE inside' }),
      { key: 'PRIVATE', value: 'private-value' },
      { key: 'MASKED', value: 'masked-value', public: true, masked: true },
    ],
    steps: [{ name: 'script', script: ['deploy --to production', 'echo masked-value'] }],
    credentials: [{ type: 'registry', url: 'r', username: 'name', password: 'registry-pass' }],
    dependencies: [{ id: 1, token: 'dependency-token', name: 'd', artifacts_file: { filename: 'x' } }],
  });
  const view = JSON.stringify(publicView(planBuild(planRequestFixture({ payload, outputMark: 'random-mark' }))));
  for (const secret of [
    'private-value',
    'masked-value',
    'registry-pass',
    'dependency-token',
    'glcbt-64_secret-token',
    'random-mark',
  ]) {
    expect(view).not.toContain(secret);
  }
  for (const shown of [
    'public value',
    'deploy --to production',
    'step_script',
    '"name"',
    'gitlab.example.com/group/demo.git',
  ]) {
    expect(view).toContain(shown);
  }
});

it('keeps its own words when a secret happens to be one of them', () => {
  const payload = payloadFixture({ variables: [{ key: 'SECRET', value: 'userCommand' }] });
  const view = JSON.stringify(publicView(planBuild(planRequestFixture({ payload }))));
  expect(view).toContain('"op":"userCommand"');
  expect(view).not.toContain('"value":"userCommand"');
});
