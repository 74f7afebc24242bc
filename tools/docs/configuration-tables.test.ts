import { expect, test } from 'vitest';
import { configurationTables } from './configuration-tables.ts';

test('every key of config.toml says what it means', () => {
  const rows = configurationTables()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter((row) => row.endsWith('|  |'))).toEqual([]);
  expect(rows.find((row) => row.includes('`unhealthy_interval`'))).toContain('| duration |');
});
