import { expect, test } from 'vitest';
import { parseDuration, parseDurationOrNever } from './durations.ts';

test.each([
  ['42', 42],
  ['42 seconds', 42],
  ['3 mins 4 sec', 184],
  ['2 hrs 20 min', 8400],
  ['2h20min', 8400],
  ['1h30m', 5400],
  ['6 mos 1 day', 6 * 30 * 86400 + 86400],
  ['47 yrs 6 mos and 4d', 47 * 365.25 * 86400 + 180 * 86400 + 4 * 86400],
  ['3 weeks and 2 days', 23 * 86400],
  ['one hour', 3600],
  ['twenty five minutes', 1500],
  ['1.5 hours', 5400],
  ['1:30', 90],
  ['01:30:00', 5400],
  ['1 day, 2 hours', 93600],
  ['2 Hours', 7200],
])('%s', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(['', 'soon', '5 parsecs', 'minutes', '5 5 minutes', '1:2:3:4', 'never', '-5'])('%j is none', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test('never', () => {
  expect(parseDurationOrNever(' Never')).toBe(Number.POSITIVE_INFINITY);
  expect(parseDurationOrNever('1 day')).toBe(86400);
});
