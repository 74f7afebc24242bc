import { afterAll, beforeAll, describe, test } from 'vitest';
import { Arena } from '../differential/arena.ts';
import { topics as comparedTopics } from '../differential/scenarios/index.ts';
import { needs } from '../support/needs.ts';
import { millrace } from '../support/runner-bench.ts';
import { ownScenarios } from './shell-jobs/own-scenarios.ts';
import { readable, WrittenTranscripts } from './shell-jobs/written-transcripts.ts';

const topics = { ...comparedTopics, own: ownScenarios };

/**
 * The scenarios that the differential suite compares with the Go runner, here without it, and those it cannot compare:
 * trace, result and files are as they are written down.
 */
describe.concurrent('a shell job leaves what is written down', () => {
  let arena: Arena | undefined;
  const transcripts = new Map(Object.keys(topics).map((topic) => [topic, new WrittenTranscripts(topic)]));
  const cases = Object.entries(topics).flatMap(([topic, scenarios]) =>
    scenarios.map((scenario) => ({ topic, scenario, name: scenario.name })),
  );

  beforeAll(async () => {
    arena = await Arena.start({ programs: [millrace()], hasLfs: needs('git-lfs'), concurrent: 6 });
  });
  afterAll(async () => {
    await arena?.close();
    for (const [topic, scenarios] of Object.entries(topics)) transcripts.get(topic)?.save(scenarios);
  });

  test.for(cases)('$topic: $name', { timeout: 120_000 }, async ({ topic, scenario }, { expect, skip }) => {
    if (scenario.needsLfs === true && !needs('git-lfs')) skip();
    if (arena === undefined) throw new Error('the runner was not started');
    const transcript = readable(await arena.record(scenario));
    expect(transcript).toBe(transcripts.get(topic)?.expected(scenario.name, transcript));
  });
});
