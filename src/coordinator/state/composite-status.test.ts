import { describe, expect, test } from 'vitest';
import { compositeStatus, type MappedStatus, mapStatus, pipelineStatusOf } from './composite-status.ts';

function composite(...members: readonly MappedStatus[]) {
  return compositeStatus(new Set(members), 'stage');
}

describe('compositeStatus', () => {
  test.each<[string, readonly MappedStatus[]]>([
    ['success', []],
    ['skipped', ['skipped']],
    ['skipped', ['skipped', 'ignored']],
    ['success', ['success', 'skipped', 'ignored']],
    ['success', ['success_with_warnings']],
    ['created', ['created', 'ignored']],
    ['canceled', ['canceled', 'success']],
    ['pending', ['pending', 'created', 'skipped']],
    ['pending', ['created', 'skipped']],
    ['running', ['created', 'success']],
    ['running', ['pending', 'success']],
    ['running', ['running', 'failed', 'manual']],
    ['waiting_for_resource', ['waiting_for_resource', 'manual']],
    ['manual', ['manual', 'created', 'failed']],
    ['scheduled', ['scheduled', 'failed']],
    ['running', ['created', 'failed']],
    ['canceling', ['canceling', 'failed']],
    ['failed', ['failed', 'success']],
    ['failed', ['failed', 'canceled']],
  ])('%s: %j', (expected, members) => {
    expect(composite(...members)).toBe(expected);
  });

  test('for needs, anything skipped or ignored skips', () => {
    expect(compositeStatus(new Set(['success', 'skipped']), 'dag')).toBe('skipped');
    expect(compositeStatus(new Set(['success', 'ignored']), 'dag')).toBe('skipped');
    expect(compositeStatus(new Set(['success_with_warnings']), 'dag')).toBe('success');
  });
});

test('mapStatus folds allow_failure in', () => {
  expect(mapStatus('failed', true)).toBe('success_with_warnings');
  expect(mapStatus('canceled', true)).toBe('success_with_warnings');
  expect(mapStatus('manual', true)).toBe('ignored');
  expect(mapStatus('running', true)).toBe('running');
  expect(mapStatus('failed', false)).toBe('failed');
});

test('pipelineStatusOf counts waiting as running', () => {
  expect(pipelineStatusOf('pending')).toBe('running');
  expect(pipelineStatusOf('canceling')).toBe('running');
  expect(pipelineStatusOf('manual')).toBe('manual');
});
