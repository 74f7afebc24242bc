import { describe, expect, it } from 'vitest';
import { JobConfigurationError } from '../../../lib/errors.ts';
import { matchesImagePattern } from './image-pattern.ts';
import { parseImagePlatform } from './image-platform.ts';
import { parseImageReference, pullTag } from './image-reference.ts';
import { pullFailure } from './pull-failure.ts';
import { effectivePolicies } from './pull-policy.ts';

describe('parseImageReference', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  it.each([
    ['ruby', 'docker.io/library/ruby', 'latest'],
    ['user/app:1', 'docker.io/user/app', '1'],
    ['localhost/app', 'localhost/app', 'latest'],
    ['host:5000/a/b:x', 'host:5000/a/b', 'x'],
    [`a.b/c:1@${digest}`, 'a.b/c', digest],
  ])('%s is pulled as %s %s', (name, repository, tag) => {
    const reference = parseImageReference(name);
    expect(reference?.repository).toBe(repository);
    expect(reference === undefined ? '' : pullTag(reference)).toBe(tag);
  });

  it.each(['', 'UPPER', 'a:', 'a@sha256:1', 'a b', 'a//b', '-x', 'a:b:c@x@y'])('%j is no reference', (name) => {
    expect(parseImageReference(name)).toBeUndefined();
  });
});

describe('matchesImagePattern', () => {
  it.each([
    ['ruby:*', 'ruby:3', true],
    ['ruby', 'docker.io/library/ruby', false],
    ['registry/*', 'registry/a/b', false],
    ['registry/**', 'registry/a/b:1', true],
    ['{ruby,go}:?', 'go:1', true],
    ['!ruby', 'go', false],
    ['[', '[', false],
  ])('%s %s %s', (pattern, name, expected) => expect(matchesImagePattern(pattern, name)).toBe(expected));
});

describe('effectivePolicies', () => {
  const request = { imageName: 'x', ofJob: [], ofRunner: [], allowed: [] };
  it('is always by default, and keeps order and repetitions', () => {
    expect(effectivePolicies(request)).toEqual(['always']);
    expect(effectivePolicies({ ...request, ofRunner: ['always', 'always', 'never'] })).toEqual([
      'always',
      'always',
      'never',
    ]);
  });
  it('keeps what is allowed of what the job wants', () => {
    const ofJob = ['always', 'if-not-present'];
    expect(effectivePolicies({ ...request, ofJob, allowed: ['never', 'if-not-present'] })).toEqual(['if-not-present']);
  });
  it('says who asked for what is not allowed', () => {
    expect(() => effectivePolicies({ ...request, allowed: ['never'] })).toThrow(
      'pull_policy ([always]) defined in Runner config (default) is not one of the allowed_pull_policies ([never])',
    );
    expect(() => effectivePolicies({ ...request, ofRunner: ['sometimes'] })).toThrow(
      'unsupported pull_policy config: "sometimes"',
    );
  });
});

describe('parseImagePlatform', () => {
  const lines: string[] = [];
  const log = { warning: (text: string) => void lines.push(text) };
  it.each([
    ['', ''],
    ['linux/arm64/v8', 'linux/arm64/v8'],
    ['arm64', 'linux/arm64'],
    ['x86_64', 'linux/amd64'],
    ['darwin/arm64', 'linux/arm64'],
  ])('%s → %s', (text, expected) => expect(parseImagePlatform(text, 'linux', log)).toBe(expected));
  it('refuses what is none', () => {
    expect(() => parseImagePlatform('linux/a/b/c', 'linux', log)).toThrow(JobConfigurationError);
  });
});

describe('pullFailure', () => {
  it.each([
    ['dial tcp 1.2.3.4: connection refused', 'external_dependency'],
    ['manifest unknown: manifest unknown', 'job_configuration'],
    ['unauthorized: authentication required', 'job_configuration'],
    ['toomanyrequests: slow down', 'image_pull_failed'],
  ])('%s is %s', (text, code) => expect(pullFailure(new Error(text)).code).toBe(code));
});
