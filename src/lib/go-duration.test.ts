import { describe, expect, it } from 'vitest';
import { formatGoDuration, parseGoDuration } from './go-duration.ts';

describe('parseGoDuration', () => {
  it.each([
    ['1h30m', 5_400_000],
    ['90s', 90_000],
    ['300ms', 300],
    ['1.5s', 1500],
    ['.5s', 500],
    ['-1m', -60_000],
    ['0', 0],
    ['1us', 0.001],
  ])('%s', (text, milliseconds) => {
    expect(parseGoDuration(text)).toBeCloseTo(milliseconds, 9);
  });

  it.each(['', '1', '1d', '1 h', '3600 s', '30 min', '1h 30m', 'h', '--1s', '1s '])('refuses %j', (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });
});

describe('formatGoDuration', () => {
  it.each([
    [3_600_000, '1h0m0s'],
    [90_000, '1m30s'],
    [1500, '1.5s'],
    [200, '200ms'],
    [0, '0s'],
    [-60_000, '-1m0s'],
    [0.5, '500µs'],
  ])('%d ms', (milliseconds, text) => {
    expect(formatGoDuration(milliseconds)).toBe(text);
  });
});
