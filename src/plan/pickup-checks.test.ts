import { describe, expect, it } from 'vitest';
import { payloadFixture, shellTraits, variablesFixture } from '../../test/support/plan-fixtures.ts';
import { unsupportedJobProblems } from './pickup-checks.ts';

function problems(payload: Record<string, unknown>, configuration?: Parameters<typeof unsupportedJobProblems>[2]) {
  return unsupportedJobProblems(payloadFixture(payload), shellTraits, configuration);
}

describe('unsupportedJobProblems', () => {
  it('finds none in an ordinary job', () => {
    expect(
      problems({
        image: { name: 'x', executor_opts: { docker: { platform: 'p', user: 'u' }, kubernetes: { user: 1 } } },
      }),
    ).toEqual([]);
  });

  it('names unknown options of image and services', () => {
    const image = { name: 'x', executor_opts: { docker: { gpus: 1, user: 'u' }, podman: {} } };
    expect(problems({ image, services: [{ name: 's', executor_opts: { kubernetes: { node: 'n' } } }] })).toEqual([
      'Unsupported "image" options [podman] for "executor_opts"; supported options are [docker kubernetes]',
      'Unsupported "image" options [gpus] for "docker executor"; supported options are [platform user]',
      'Unsupported "image" options [node] for "kubernetes executor"; supported options are [user]',
    ]);
  });

  it('refuses native steps', () => {
    expect(problems({ run: '[]' })).toEqual(['the `run` and `script` keywords cannot be used together']);
    expect(problems({ run: '[]', steps: [], variables: variablesFixture({ STEPS: 'x' }) })).toEqual([
      'the `run` keyword requires the exclusive use of the variable STEPS',
    ]);
    expect(problems({ run: '[]', steps: [] })[0]).toContain('not supported yet');
  });

  it('refuses secrets and other ways to run, and says what to do', () => {
    expect(problems({ secrets: { PASSWORD: { vault: {} } } })[0]).toMatch(
      /^secrets are not supported yet: PASSWORD\. Use /,
    );
    expect(problems({ variables: variablesFixture({ FF_CONCRETE: 'true' }) })[0]).toContain(
      'FF_CONCRETE is not supported yet: remove',
    );
    const configured = {
      featureFlags: { FF_SCRIPT_TO_STEP_MIGRATION: true, FF_SUSPENDABLE_ENVIRONMENTS: true },
      environment: [],
    };
    expect(problems({ suspend_options: { suspend_on_success: true } }, configured)).toHaveLength(2);
    expect(problems({ suspend_options: { suspend_on_success: true } })).toEqual([]);
  });
});
