import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { killAll, listensToSignals, processesWith } from '../support/job-processes.ts';
import { millrace, plainTrace, RunnerBench, type RunnerProcess, scriptJob, until } from '../support/runner-bench.ts';

let bench: RunnerBench;
let token: string;
beforeEach(async () => {
  bench = await RunnerBench.start();
  ({ token } = bench.coordinator.createRunner({ description: 'shared' }));
});
afterEach(async () => {
  killAll(processesWith(`ISOLATION_TEST=${bench.folder}`));
  await bench.close();
});

/** A manager of the one configuration that all managers of a test have. */
function start(concurrent = 1): RunnerProcess {
  const environment = { ISOLATION_TEST: bench.folder };
  return bench.startRunner(millrace(), { name: 'host', token, concurrent, environment });
}

/** A job that tells where it runs, and ends when the file of its name appears. */
async function submit(name: string): Promise<number> {
  const go = join(bench.folder, name);
  return await bench.submit(
    scriptJob({
      name,
      script: [
        'echo "dir=$CI_PROJECT_DIR ids=$CI_CONCURRENT_ID/$CI_CONCURRENT_PROJECT_ID"',
        `echo ${name} > mine`,
        `while [ ! -e ${go} ]; do sleep 0.05; done`,
        'cat mine',
      ],
    }),
  );
}

function letGo(...names: readonly string[]): void {
  for (const name of names) writeFileSync(join(bench.folder, name), '');
}

interface Place {
  readonly directory: string;
  readonly ids: string;
}

/** Where a job runs, once it has said so. */
async function placeOf(id: number): Promise<Place> {
  const found = await until(`place of job ${id}`, 45_000, async () => {
    const text = plainTrace(await bench.trace(id));
    return /^dir=(\S+) ids=(\S+)$/m.exec(text) ?? undefined;
  });
  return { directory: found[1] ?? '', ids: found[2] ?? '' };
}

async function expectOwnFiles(id: number, name: string): Promise<void> {
  expect(await bench.finished(id)).toMatchObject({ status: 'success' });
  expect(plainTrace(await bench.trace(id)).split('\n')).toContain(name);
}

function took(runner: RunnerProcess, id: number): boolean {
  return new RegExp(`Added job to processing list.* job=${id}\\b`).test(runner.log());
}

/** Which of the managers runs a job. */
async function managerOf(id: number, runners: readonly RunnerProcess[]): Promise<RunnerProcess> {
  return await until(`a manager that runs job ${id}`, 45_000, async () => runners.find((runner) => took(runner, id)));
}

async function kill(runner: RunnerProcess): Promise<void> {
  runner.kill('SIGKILL');
  await runner.ended;
}

describe('jobs of one project', () => {
  test('that run at once have folders of their own', async () => {
    start(3);
    const names = ['a', 'b', 'c'];
    const ids = await Promise.all(names.map(submit));
    const places = await Promise.all(ids.map(placeOf));
    expect(new Set(places.map(({ directory }) => directory)).size).toBe(3);
    expect(places.map((place) => place.ids).sort()).toEqual(['0/0', '1/1', '2/2']);
    letGo(...names);
    for (const [index, id] of ids.entries()) await expectOwnFiles(id, names[index] ?? '');
  });

  test('do not share a folder with the job of a killed manager, which keeps its own', async () => {
    const first = start(2);
    const [orphan, done] = [await submit('orphan'), await submit('done')];
    const [orphanPlace, donePlace] = [await placeOf(orphan), await placeOf(done)];
    letGo('done');
    await bench.finished(done);
    await kill(first);
    start(2);
    const [next, queued] = [await submit('next'), await submit('queued')];
    expect(await placeOf(next)).toEqual(donePlace);
    // Two slots: the orphan has one of them.
    expect(await bench.job(queued)).toMatchObject({ status: 'pending' });
    letGo('orphan');
    await expectOwnFiles(orphan, 'orphan');
    expect(await placeOf(queued)).toEqual(orphanPlace);
    letGo('next', 'queued');
    await expectOwnFiles(next, 'next');
    await expectOwnFiles(queued, 'queued');
  });
});

describe('two managers of one configuration', () => {
  test('run jobs side by side; the end of one leaves the jobs of the other, and its own to the next start', async () => {
    const runners = [start(), start()];
    const [one, two] = [await submit('one'), await submit('two')];
    const places = [await placeOf(one), await placeOf(two)];
    expect(new Set(places.map(({ directory }) => directory)).size).toBe(2);
    const [killed, living] = [await managerOf(one, runners), await managerOf(two, runners)];
    expect(killed).not.toBe(living);
    await kill(killed);
    // The living one goes on asking for jobs, and takes nothing of the dead one.
    letGo('two');
    await expectOwnFiles(two, 'two');
    const three = await submit('three');
    expect(await managerOf(three, [living])).toBe(living);
    const placeOfThree = await placeOf(three);
    expect(placeOfThree.directory).not.toBe(places[0]?.directory);
    expect(took(living, one)).toBe(false);
    expect(processesWith(`ISOLATION_TEST=${bench.folder}\0`).length).toBeGreaterThan(0);
    // A start adopts it.
    const heir = start();
    expect(await managerOf(one, [heir])).toBe(heir);
    // Stopping one aborts its own job only.
    await listensToSignals(living);
    living.kill('SIGTERM');
    expect(await living.ended).toBe(0);
    expect(await bench.finished(three)).toMatchObject({ status: 'failed', failure_reason: 'runner_interrupted' });
    expect(await bench.job(one)).toMatchObject({ status: 'running' });
    letGo('one');
    await expectOwnFiles(one, 'one');
    expect(took(living, one)).toBe(false);
  });

  test('that start at the same moment after a kill: one of them adopts, and the job runs once', async () => {
    const runs = join(bench.folder, 'runs');
    const go = join(bench.folder, 'go');
    const first = start();
    const script = [`echo run >> ${runs}`, `while [ ! -e ${go} ]; do sleep 0.05; done`, 'echo through'];
    const id = await bench.submit(scriptJob({ script }));
    await until('the job to run', 45_000, async () => (existsSync(runs) ? true : undefined));
    await kill(first);
    const heirs = [start(), start(), start()];
    await managerOf(id, heirs);
    letGo('go');
    expect(await bench.finished(id)).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    expect(readFileSync(runs, 'utf8')).toBe('run\n');
    expect(heirs.filter((heir) => took(heir, id))).toHaveLength(1);
    expect(plainTrace(await bench.trace(id)).match(/^through$/gm)).toHaveLength(1);
  });
});
