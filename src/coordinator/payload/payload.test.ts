import { describe, expect, test } from 'vitest';
import { jobPayloadSchema } from '../../gitlab/job-payload.ts';
import { submittedJobSchema } from '../submission.ts';
import { artifactKind } from './artifact-kinds.ts';
import { artifactSources, assemblePayload } from './assemble.ts';
import { parseDotenv } from './dotenv.ts';
import { acceptFailureReason } from './failure-reasons.ts';
import { refspecsOf } from './refspecs.ts';
import { missingFeatures } from './required-features.ts';
import { payloadVariables } from './variables.ts';

function jobOf(change: Readonly<Record<string, unknown>> = {}) {
  return submittedJobSchema.parse({
    name: 'j',
    stage: 'test',
    needs: null,
    dependencies: null,
    when: 'on_success',
    timeout_seconds: 600,
    variables_below_dotenv: [],
    variables_above_dotenv: [],
    steps: [{ name: 'script', script: ['true'] }],
    ...change,
  });
}

const facts = {
  jobId: 7,
  jobToken: 'job-token',
  jobUrl: 'http://host/g/p/-/jobs/7',
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  pipelineId: 3,
  pipelineIid: 2,
  pipelineUrl: 'http://host/g/p/-/pipelines/3',
  repositoryUrl: 'http://gitlab-ci-token:job-token@host/g/p.git',
  serverUrl: 'http://host:8090',
  runner: { id: 4, description: 'd', tags: ['a', 'b'] },
};
const git = {
  ref: 'main',
  ref_type: 'branch',
  sha: 'a'.repeat(40),
  before_sha: '0'.repeat(40),
  protected: false,
  object_format: 'sha1',
  depth: 0,
} as const;

describe('payloadVariables', () => {
  const winner = (
    job: Parameters<typeof payloadVariables>[0],
    late: Partial<Parameters<typeof payloadVariables>[2]>,
    key: string,
  ) =>
    payloadVariables(job, facts, { dotenv: [], played: [], ...late }).findLast((variable) => variable.key === key)
      ?.value;

  test('layers, lowest to highest: persisted, below, dotenv, above, played, topmost', () => {
    const variable = (key: string, value: string) => ({ key, value });
    const job = jobOf({
      variables_below_dotenv: [variable('CI_JOB_ID', 'yaml'), variable('A', 'below'), variable('B', 'below')],
      variables_above_dotenv: [variable('B', 'above'), variable('C', 'above'), variable('CI_ENVIRONMENT_URL', 'fixed')],
    });
    const played = jobOf({ variables_above_dotenv: [variable('C', 'hand'), variable('CI_ENVIRONMENT_URL', 'hand')] });
    const late = { dotenv: [variable('A', 'dotenv'), variable('B', 'dotenv')], played: played.variables_above_dotenv };
    const keys = ['CI_JOB_ID', 'A', 'B', 'C', 'CI_ENVIRONMENT_URL'];
    expect(keys.map((key) => winner(job, late, key))).toEqual(['yaml', 'dotenv', 'above', 'hand', 'fixed']);
  });

  test('expands, keeps unknown references, and leaves a circle as it is', () => {
    const job = jobOf({
      variables_below_dotenv: [
        { key: 'A', value: '$B/$NOPE' },
        { key: 'B', value: '$CI_PIPELINE_IID' },
      ],
    });
    expect(winner(job, {}, 'A')).toBe('2/$NOPE');
    const circle = jobOf({
      variables_below_dotenv: [
        { key: 'A', value: '$B' },
        { key: 'B', value: '$A' },
      ],
    });
    expect(winner(circle, {}, 'A')).toBe('$B');
  });

  test('knows when the job started, and this server unless told of another', () => {
    expect(winner(jobOf(), {}, 'CI_JOB_STARTED_AT')).toBe('2026-01-02T03:04:05Z');
    expect(winner(jobOf(), {}, 'CI_SERVER_PORT')).toBe('8090');
    const other = jobOf({ variables_below_dotenv: [{ key: 'CI_SERVER_PORT', value: '443' }] });
    expect(winner(other, {}, 'CI_SERVER_PORT')).toBe('443');
  });
});

test('refspecsOf names the branch or tag, or all without a depth', () => {
  const own = `+${git.sha}:refs/pipelines/3`;
  expect(refspecsOf({ ...git, depth: 20 }, 3)).toEqual([own, '+refs/heads/main:refs/remotes/origin/main']);
  expect(refspecsOf({ ...git, depth: 20, ref: 'v1', ref_type: 'tag' }, 3)).toEqual([own, '+refs/tags/v1:refs/tags/v1']);
  expect(refspecsOf(git, 3)).toEqual([own, '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']);
});

test('assemblePayload makes what a runner can read', () => {
  const payload = jobPayloadSchema.parse(
    assemblePayload({
      submission: { project: { id: 9, name: 'p', path: 'g/p' }, git },
      job: jobOf({ image: { name: 'alpine' }, services: [{ name: 'redis', alias: 'r' }] }),
      facts,
      late: { dotenv: [], played: [] },
      dependencies: [{ id: 1, name: 'build', token: 't', archive: { filename: 'a.zip', sizeBytes: 5 } }],
      maximumTimeoutSeconds: 60,
      secondsInQueue: 1.5,
      runningJobsOfProject: 0,
    }),
  );
  expect(payload).toMatchObject({
    id: 7,
    token: 'job-token',
    job_info: { name: 'j', pipeline_id: 3, project_id: 9, project_full_path: 'g/p', time_in_queue_seconds: 1.5 },
    git_info: { repo_url: facts.repositoryUrl, sha: git.sha, ref_type: 'branch', protected: false },
    runner_info: { timeout: 60 },
    image: { name: 'alpine' },
    services: [{ name: 'redis', alias: 'r' }],
    steps: [{ name: 'script', script: ['true'], timeout: 60, when: 'on_success' }],
    dependencies: [{ id: 1, token: 't', artifacts_file: { filename: 'a.zip', size: 5 } }],
    run: '',
  });
});

test('assemblePayload hands on secrets, inputs and native steps', () => {
  const payload = jobPayloadSchema.parse(
    assemblePayload({
      submission: { project: { id: 9, name: 'p', path: 'g/p' }, git },
      job: jobOf({
        steps: [],
        run: '[{"name":"a"}]',
        secrets: { A: { vault: { path: 'x' } } },
        inputs: [{ key: 'i', value: { type: 'string', content: 'c' } }],
      }),
      facts,
      late: { dotenv: [], played: [] },
      dependencies: [],
      maximumTimeoutSeconds: 0,
      secondsInQueue: 0,
      runningJobsOfProject: 0,
    }),
  );
  expect(payload).toMatchObject({
    run: '[{"name":"a"}]',
    secrets: { A: { vault: { path: 'x' } } },
    inputs: [{ key: 'i', value: { type: 'string', content: 'c' } }],
    runner_info: { timeout: 600 },
  });
});

describe('artifactSources', () => {
  const jobs = [jobOf({ name: 'a', stage: 'build' }), jobOf({ name: 'b', stage: 'build' }), jobOf({ name: 'c' })];
  const sources = (change: Readonly<Record<string, unknown>>) =>
    artifactSources(jobOf({ name: 'c', ...change }), jobs, ['build', 'test']);
  test('earlier stages, needs with artifacts, and what dependencies leave of them', () => {
    expect(sources({})).toEqual(['a', 'b']);
    expect(sources({ dependencies: ['b'] })).toEqual(['b']);
    expect(sources({ dependencies: [] })).toEqual([]);
    expect(sources({ needs: [{ job: 'a' }, { job: 'b', artifacts: false }] })).toEqual(['a']);
    expect(sources({ needs: [{ job: 'a' }, { job: 'b' }], dependencies: ['a'] })).toEqual(['a']);
    expect(sources({ needs: [] })).toEqual([]);
  });
});

describe('parseDotenv', () => {
  const limits = { maxBytes: 50, maxVariables: 2 };
  const parse = (text: string) => parseDotenv(Buffer.from(text), limits);
  test('strips, keeps quotes, takes the last of equal keys', () => {
    expect(parse('\uFEFF A = "x=1" \r\nA= y \nB=\n')).toEqual({
      ok: true,
      variables: [
        { key: 'A', value: 'y' },
        { key: 'B', value: '' },
      ],
    });
    expect(parse('')).toEqual({ ok: true, variables: [] });
  });
  test.each(['# comment', 'A=1\n\nB=2', 'A B=1', '=1', 'A=1\nB=1\nC=1', `A=${'x'.repeat(60)}`])(
    'refuses %j',
    (text) => {
      expect(parse(text).ok).toBe(false);
    },
  );
});

test('acceptFailureReason keeps what is known', () => {
  expect(acceptFailureReason('runner_interrupted')).toBe('runner_interrupted');
  expect(acceptFailureReason('job_canceled')).toBe('unknown_failure');
  expect(acceptFailureReason('')).toBe('script_failure');
});

test('artifactKind fills in the defaults and refuses bad pairs', () => {
  expect(artifactKind('', '')).toEqual({ type: 'archive', format: 'zip' });
  expect(artifactKind('dotenv', 'gzip')).toEqual({ type: 'dotenv', format: 'gzip' });
  expect(artifactKind('sast', 'gzip')).toMatch(/Invalid file format/);
  expect(artifactKind('x', '')).toMatch(/artifact_type/);
});

test('missingFeatures asks only for what the job uses', () => {
  const missing = (change: Readonly<Record<string, unknown>>) => missingFeatures(jobOf(change), {});
  expect(missing({})).toEqual([]);
  expect(missing({ artifacts: [{ artifact_type: 'junit', exclude: ['a'] }] })).toEqual([
    'upload_multiple_artifacts',
    'artifacts_exclude',
  ]);
  expect(
    missing({
      steps: [{ name: 'release', script: [] }],
      cache: [{ key: 'k', fallback_keys: ['a'] }],
      secrets: { PASSWORD: {} },
    }),
  ).toEqual(['multi_build_steps', 'fallback_cache_keys', 'vault_secrets']);
  expect(missingFeatures(jobOf({ secrets: { A: {} } }), { vault_secrets: true })).toEqual([]);
});
