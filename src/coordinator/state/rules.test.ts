import { describe, expect, test } from 'vitest';
import { pipelineSubmissionSchema } from '../submission.ts';
import { checkSubmission } from './check-submission.ts';
import { findCoverage } from './coverage.ts';
import type { RunnerRecord } from './records.ts';
import { isRetryDue } from './retry.ts';
import { canRun } from './runner-match.ts';
import { selectJobs } from './select-jobs.ts';

function submissionOf(
  jobs: readonly Readonly<Record<string, unknown>>[],
  more: Readonly<Record<string, unknown>> = {},
) {
  return pipelineSubmissionSchema.parse({
    project: { id: 1, name: 'p', path: 'g/p' },
    git: { ref: 'main', ref_type: 'branch', sha: 'a'.repeat(40), before_sha: '', protected: false },
    stages: ['build', 'test', 'deploy'],
    jobs: jobs.map((job) => ({
      stage: 'build',
      needs: null,
      dependencies: null,
      when: 'on_success',
      timeout_seconds: 1,
      variables_below_dotenv: [],
      variables_above_dotenv: [],
      steps: [],
      ...job,
    })),
    ...more,
  });
}

describe('isRetryDue', () => {
  const failed = { failureReason: 'script_failure', exitCode: 3, attempt: 1 };
  test.each([
    [{ max: 0, when: [], exit_codes: [] }, failed, false],
    [{ max: 1, when: [], exit_codes: [] }, failed, true],
    [{ max: 1, when: [], exit_codes: [] }, { ...failed, attempt: 2 }, false],
    [{ max: 2, when: ['always'], exit_codes: [] }, { ...failed, attempt: 2 }, true],
    [{ max: 1, when: ['runner_system_failure'], exit_codes: [] }, failed, false],
    [{ max: 1, when: [], exit_codes: [3] }, failed, true],
    [{ max: 1, when: [], exit_codes: [4] }, failed, false],
    [{ max: 2, when: ['always'], exit_codes: [] }, { ...failed, failureReason: 'missing_dependency_failure' }, false],
    [{ max: 0, when: ['script_failure'], exit_codes: [] }, { ...failed, failureReason: 'scheduler_failure' }, true],
  ])('%j after %j: %s', (retry, attempt, expected) => {
    expect(isRetryDue(retry, attempt)).toBe(expected);
  });
});

describe('canRun', () => {
  const runner = (change: Partial<RunnerRecord>) =>
    ({ isPaused: false, runUntagged: true, tags: [], ...change }) as unknown as RunnerRecord;
  test.each([
    [{}, [], true],
    [{}, ['gpu'], false],
    [{ tags: ['gpu', 'big'] }, ['gpu'], true],
    [{ tags: ['gpu'] }, ['gpu', 'big'], false],
    [{ tags: ['gpu'], runUntagged: false }, [], false],
    [{ isPaused: true }, [], false],
  ])('%j with job tags %j: %s', (change, tags, expected) => {
    expect(canRun(runner(change), tags)).toBe(expected);
  });
});

describe('findCoverage', () => {
  test.each([
    ['Lines: 12.5%\nLines: 90.1%\nend\n', 'Lines: \\d+\\.\\d+%', 90.1],
    ['a 1% b 2%\n', '\\d+%', 2],
    ['TOTAL 10 20 95%\n', 'TOTAL.*?(\\d+)%', 95],
    ['2026-01-02T03:04:05.123456Z 01O cov 50%\n', '^cov \\d+%', 50],
    ['\u001B[32mcov 51%\u001B[0m\n', '^cov \\d+%', 51],
    ['nothing\n', 'cov \\d+', undefined],
    ['cov 1\n', '(', undefined],
  ])('%j with %s: %s', (trace, pattern, expected) => {
    expect(findCoverage(trace, pattern)).toBe(expected);
  });
});

describe('selectJobs', () => {
  const jobs = [
    { name: 'a' },
    { name: 'b' },
    { name: 'c', stage: 'test', needs: [{ job: 'a' }] },
    { name: 'd', stage: 'deploy' },
  ];
  const names = (more: Readonly<Record<string, unknown>>) =>
    selectJobs(submissionOf(jobs, more)).jobs.map((job) => job.name);

  test('takes all, some, or some with what they need', () => {
    expect(names({})).toEqual(['a', 'b', 'c', 'd']);
    expect(names({ only_jobs: ['c'] })).toEqual(['c']);
    expect(names({ only_jobs: ['c'], run_needs: true })).toEqual(['a', 'c']);
    expect(names({ only_jobs: ['d'], run_needs: true })).toEqual(['a', 'b', 'c', 'd']);
  });

  test('strikes what was left out from the needs', () => {
    expect(selectJobs(submissionOf(jobs, { only_jobs: ['c'] })).jobs[0]?.needs).toEqual([]);
  });
});

describe('checkSubmission', () => {
  test('finds a circle through needs and stages', () => {
    const circle = [
      { name: 'a', needs: [{ job: 'b' }] },
      { name: 'b', stage: 'test' },
    ];
    expect(checkSubmission(submissionOf(circle))).toEqual(['the needs of the jobs form a circle']);
    expect(checkSubmission(submissionOf([{ name: 'a' }, { name: 'b', stage: 'test', needs: [{ job: 'a' }] }]))).toEqual(
      [],
    );
  });
});
