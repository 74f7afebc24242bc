import { expect, test } from 'vitest';
import { environmentSlug, guessTier, jobGroupName, slug } from './slugs.ts';

test('slugs keep one dash for each other character', () => {
  expect(slug('Feature//X_y')).toBe('feature--x-y');
  expect(slug('/a/')).toBe('a');
  expect(slug(`${'x'.repeat(62)}/y`)).toBe('x'.repeat(62));
});

test.each([
  ['staging-1234567890123456', 'staging-1234567890123456'],
  ['production', 'production'],
  ['foo-', 'foo'],
  ['staging-12345678901234567', /^staging-123456789-[0-9a-z]{6}$/],
  ['9-staging-123456789012345', /^env-9-staging-123-[0-9a-z]{6}$/],
  ['PRODUCTION', /^production-[0-9a-z]{6}$/],
  ['review/1-foo', /^review-1-foo-[0-9a-z]{6}$/],
  ['*-foo', /^env-foo-[0-9a-z]{6}$/],
])('environment %s', (name, expected) => {
  expect(environmentSlug(name)).toMatch(expected);
});

test('names that look alike have different slugs', () => {
  expect(environmentSlug('a/b')).not.toBe(environmentSlug('a_b'));
});

test('tiers and groups are guessed from names', () => {
  expect(['review/x', 'qa', 'staging', 'production', 'x'].map(guessTier)).toEqual([
    'development',
    'testing',
    'staging',
    'production',
    'other',
  ]);
  expect(['test 1/3', 'test: [a, b]', 'rspec 1 2', 'plain'].map(jobGroupName)).toEqual([
    'test',
    'test',
    'rspec',
    'plain',
  ]);
});
