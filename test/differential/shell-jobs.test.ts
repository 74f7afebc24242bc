import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { millrace, peer } from '../support/runner-bench.ts';
import { Arena } from './arena.ts';
import { differences, shownEverywhere } from './differences.ts';
import { scenarios } from './scenarios/index.ts';

describe.skipIf(!needs('peer')).concurrent('the same job on both runners', () => {
  let arena: Arena | undefined;
  beforeAll(async () => {
    arena = await Arena.start({ programs: [millrace(), peer()], hasLfs: needs('git-lfs'), concurrent: 6 });
  });
  afterAll(async () => await arena?.close());

  function started(): Arena {
    if (arena === undefined) throw new Error('the runners were not started');
    return arena;
  }

  test.for(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    { timeout: 180_000 },
    async ([, scenario], { expect: expectHere, skip }) => {
      if (scenario.needsLfs === true && !needs('git-lfs')) skip();
      const { ours, theirs } = await started().compare(scenario);
      expectHere(ours).toBe(theirs);
    },
  );
});

describe('the table of scenarios', () => {
  test('has names that give folders of their own', () => {
    const names = scenarios.map(({ name }) => name.replaceAll(/[^A-Za-z0-9]+/g, '-').toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  test('shows no difference that docs/differences.md does not explain', () => {
    const page = readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8');
    const rows = page.split('\n').map((line) => line.split(' | ')[0]?.slice(2));
    for (const { row } of Object.values(differences)) expect(rows).toContain(row);
  });

  test('shows every difference that is known here', () => {
    const shown = new Set([...shownEverywhere, ...scenarios.flatMap(({ shows = [] }) => shows)]);
    expect([...shown].sort()).toEqual(Object.keys(differences).sort());
  });
});
