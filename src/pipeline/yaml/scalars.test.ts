import { describe, expect, test } from 'vitest';
import { floatText, resolvePlainScalar } from './scalars.ts';

describe('resolvePlainScalar', () => {
  test.each([
    ['', 'null', ''],
    ['~', 'null', ''],
    ['NULL', 'null', ''],
    ['yes', 'boolean', 'true'],
    ['Off', 'boolean', 'false'],
    ['y', 'string', 'y'],
    ['trues', 'string', 'trues'],
    ['12', 'integer', '12'],
    ['-0', 'integer', '0'],
    ['+1_000', 'integer', '1000'],
    ['1,000', 'integer', '1000'],
    ['012345', 'integer', '5349'],
    ['08', 'string', '08'],
    ['0x1F', 'integer', '31'],
    ['-0b11', 'integer', '-3'],
    ['0x', 'string', '0x'],
    ['1:30', 'integer', '90'],
    ['1:30:00', 'integer', '5400'],
    ['1:60', 'string', '1:60'],
    ['1.10', 'float', '1.1'],
    ['1.0', 'float', '1.0'],
    ['.5', 'float', '0.5'],
    ['1e3', 'string', '1e3'],
    ['1.5e+3', 'float', '1500.0'],
    ['.', 'string', '.'],
    ['-.', 'string', '-.'],
    ['.inf', 'float', 'Infinity'],
    ['-.INF', 'float', '-Infinity'],
    ['.nan', 'float', 'NaN'],
    ['12345678901234567890', 'integer', '12345678901234567890'],
    ['1.2.3', 'string', '1.2.3'],
    ['-', 'string', '-'],
    ['--foo', 'string', '--foo'],
    ['2024-13-01', 'string', '2024-13-01'],
  ])('%s is a %s', (text, type, value) => {
    expect(resolvePlainScalar(text)).toEqual({ type, text: value });
  });

  test.each(['2024-01-31', '2024-1-1', '2024-01-31 10:00:00', '2024-01-31T10:00:00Z', '2024-01-31T10:00:00.5+02:00'])(
    '%s is a date',
    (text) => expect(resolvePlainScalar(text)).toEqual({ type: 'date' }),
  );
});

test('floats as Ruby writes them', () => {
  expect([1, 0, 1e15, 1e16, 1.5e20, 1e-4, 0.00001].map(floatText)).toEqual([
    '1.0',
    '0.0',
    '1000000000000000.0',
    '1.0e+16',
    '1.5e+20',
    '0.0001',
    '1.0e-05',
  ]);
});
