import { describe, expect, test } from 'vitest';
import { AbortReason } from '../lib/abort.ts';
import { EnvironmentLostError, ImagePullError, JobConfigurationError } from '../lib/errors.ts';
import { jobResult, jobStatus, problemOf } from './build-result.ts';

const plan = { timeouts: { jobMs: 3_600_000 } };

describe('jobResult', () => {
  test.each([
    [undefined, 'success', null, 0, 'Job succeeded'],
    [{ kind: 'exit', code: 3, text: 'exit status 3' }, 'failed', 'script_failure', 3, 'Job failed: exit status 3'],
    [{ kind: 'exit', code: -1, text: 'signal: killed' }, 'failed', 'script_failure', -1, 'Job failed: signal: killed'],
    [
      { kind: 'stopped', reason: 'job_timeout', message: 'x' },
      'failed',
      'job_execution_timeout',
      0,
      'Job failed: execution took longer than 1h0m0s seconds',
    ],
    [
      { kind: 'stopped', reason: 'stage_timeout', message: 'script timeout: context deadline exceeded' },
      'failed',
      'job_execution_timeout',
      0,
      'Job failed: script timeout: context deadline exceeded',
    ],
    [{ kind: 'stopped', reason: 'canceled', message: 'x' }, 'failed', 'job_canceled', 0, 'Job failed: canceled'],
    [{ kind: 'stopped', reason: 'aborted', message: 'x' }, 'failed', 'job_canceled', 0, 'Job failed: canceled'],
    [
      { kind: 'stopped', reason: 'interrupted', message: 'aborted: terminated' },
      'failed',
      'runner_interrupted',
      0,
      'Job failed: aborted: terminated',
    ],
    [
      { kind: 'error', reason: 'runner_system_failure', isClassified: false, message: 'no bash' },
      'failed',
      'runner_system_failure',
      0,
      'Job failed (system failure): no bash',
    ],
  ] as const)('%j', (problem, state, failureReason, exitCode, text) => {
    expect(jobResult(problem, plan)).toEqual({
      state,
      failureReason,
      exitCode,
      lastLine: { level: problem === undefined ? 'info' : 'error', text },
    });
  });
});

describe('problemOf', () => {
  test('classifies our errors', () => {
    expect(problemOf(new JobConfigurationError('a'))).toMatchObject({
      reason: 'runner_configuration_error',
      isClassified: true,
    });
    expect(problemOf(new ImagePullError('a'))).toMatchObject({ reason: 'image_pull_failure', isClassified: true });
    expect(problemOf(new EnvironmentLostError('a'))).toMatchObject({
      reason: 'runner_system_failure',
      isClassified: true,
    });
    expect(problemOf(new TypeError('a'))).toMatchObject({ reason: 'runner_system_failure', isClassified: false });
  });

  test('whatever an aborted operation throws is fallout of the abort', () => {
    const controller = new AbortController();
    controller.abort(new AbortReason('job_timeout', 'time is up'));
    expect(problemOf(new Error('ECONNRESET'), controller.signal)).toEqual({
      kind: 'stopped',
      reason: 'job_timeout',
      message: 'time is up',
    });
  });
});

test('jobStatus is what after_script sees', () => {
  expect(jobStatus(undefined)).toBe('success');
  expect(jobStatus({ kind: 'exit', code: 1, text: '' })).toBe('failed');
  expect(jobStatus({ kind: 'stopped', reason: 'canceled', message: '' })).toBe('canceled');
  expect(jobStatus({ kind: 'stopped', reason: 'stage_timeout', message: '' })).toBe('timedout');
});
