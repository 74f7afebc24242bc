import { describe, expect, test } from 'vitest';
import { advancePipeline, type PipelineNode, skippedDependents } from './advance.ts';

function node(name: string, stageIndex: number, change: Partial<PipelineNode> = {}): PipelineNode {
  return {
    name,
    stageIndex,
    needs: null,
    when: 'on_success',
    status: 'created',
    isFailureAllowed: false,
    ...change,
  };
}

function actions(...nodes: readonly PipelineNode[]): Record<string, string> {
  return Object.fromEntries(advancePipeline(nodes).map((step) => [step.name, step.action]));
}

describe('advancePipeline', () => {
  test('starts what waits for nothing', () => {
    expect(actions(node('a', 0), node('b', 1), node('c', 2, { needs: [] }))).toEqual({ a: 'start', c: 'start' });
  });

  test('an empty earlier stage does not hold anything up', () => {
    expect(actions(node('b', 3))).toEqual({ b: 'start' });
  });

  test.each([
    ['on_success', 'success', 'start'],
    ['on_success', 'failed', 'skip'],
    ['on_success', 'skipped', 'start'],
    ['on_success', 'canceled', 'skip'],
    ['on_failure', 'failed', 'start'],
    ['on_failure', 'success', 'skip'],
    ['always', 'failed', 'start'],
    ['always', 'skipped', 'start'],
    ['always', 'canceled', 'skip'],
    ['manual', 'success', 'hold_for_hand'],
    ['manual', 'failed', 'skip'],
    ['delayed', 'success', 'schedule'],
    ['on_success', 'running', undefined],
    ['always', 'manual', undefined],
  ] as const)('%s after a stage that is %s: %s', (when, status, expected) => {
    expect(actions(node('a', 0, { status }), node('b', 1, { when }))).toEqual(
      expected === undefined ? {} : { b: expected },
    );
  });

  test.each([
    ['on_success', 'success', 'start'],
    ['on_success', 'skipped', 'skip'],
    ['manual', 'skipped', 'skip'],
    ['always', 'skipped', 'start'],
    ['on_failure', 'failed', 'start'],
    ['on_success', 'failed', 'skip'],
  ] as const)('%s after needs that are %s: %s', (when, status, expected) => {
    expect(actions(node('a', 0, { status }), node('b', 1, { when, needs: ['a'] }))).toEqual({ b: expected });
  });

  test('an allowed failure counts as success', () => {
    const failed = node('a', 0, { status: 'failed', isFailureAllowed: true });
    expect(actions(failed, node('b', 1), node('c', 1, { when: 'on_failure' }))).toEqual({ b: 'start', c: 'skip' });
  });

  test('follows its own steps: skipping spreads', () => {
    const nodes = [node('a', 0, { status: 'failed' }), node('b', 1), node('c', 2), node('d', 2, { needs: ['b'] })];
    expect(actions(...nodes)).toEqual({ b: 'skip', c: 'skip', d: 'skip' });
  });

  test('a blocking manual job holds later stages, an optional one does not', () => {
    const gate = (isFailureAllowed: boolean) => node('gate', 0, { when: 'manual', isFailureAllowed });
    expect(actions(gate(false), node('b', 1))).toEqual({ gate: 'hold_for_hand' });
    expect(actions(gate(true), node('b', 1), node('c', 1, { needs: ['gate'] }))).toEqual({
      gate: 'hold_for_hand',
      b: 'start',
      c: 'skip',
    });
  });

  test('a job with needs does not wait for the rest of their stage', () => {
    const nodes = [node('slow', 0, { status: 'running' }), node('quick', 0, { status: 'success' })];
    expect(actions(...nodes, node('next', 1, { needs: ['quick'] }), node('late', 1))).toEqual({ next: 'start' });
  });
});

test('skippedDependents finds what is skipped behind a job, through needs and stages', () => {
  const nodes = [
    node('gate', 0, { status: 'manual' }),
    node('other', 0, { status: 'skipped' }),
    node('direct', 1, { needs: ['gate'], status: 'skipped' }),
    node('behind', 2, { needs: ['direct'], status: 'skipped' }),
    node('apart', 2, { needs: ['other'], status: 'skipped' }),
    node('stage', 2, { status: 'skipped' }),
    node('done', 2, { status: 'success' }),
  ];
  expect(skippedDependents(nodes, 'gate')).toEqual(['direct', 'behind', 'stage']);
});
