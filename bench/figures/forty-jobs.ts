import { scriptJob } from '../../test/support/runner-bench.ts';
import type { BenchOptions, Figure } from '../support/figure.ts';
import { type Measurement, Samples } from '../support/measurement.ts';
import { comparedPrograms } from '../support/program.ts';
import type { Home } from '../support/runner-process.ts';
import { type Runner, type Stand, stamp, withStand } from '../support/stand.ts';

const jobCount = 40;
const concurrent = 8;

/** Many small jobs, several at a time. */
export const fortyJobs: Figure = {
  name: 'forty',
  title: `${jobCount} jobs that run \`true\`, ${concurrent} at a time`,
  measure: async (options) => [
    await measureWith(options, 'yours', 'your profile'),
    await measureWith(options, 'empty', 'no profile'),
  ],
};

function measureWith(options: BenchOptions, home: Home, name: string): Promise<Measurement> {
  return withStand(async (stand) => {
    const samples = new Samples();
    const runners = await stand.startRunners(comparedPrograms(options), { concurrent, executor: 'shell', home });
    for (const runner of runners) await stand.runJob(runner, scriptJob({ script: ['true'] }));
    for (let run = 0; run < (options.runs ?? 3); run += 1) {
      for (const runner of runners) samples.add(runner.kind, jobCount / (await secondsForAll(stand, runner)));
    }
    const target = home === 'yours' ? { ratioAtLeast: 4 } : undefined;
    return samples.measurement(`${jobCount} jobs at concurrent = ${concurrent} (${name})`, 'jobs/s', target);
  });
}

async function secondsForAll(stand: Stand, runner: Runner): Promise<number> {
  const payload = scriptJob({ script: ['true'] });
  const startedAt = Date.now();
  const ids = await Promise.all(Array.from({ length: jobCount }, () => stand.coordinator.submit(runner.tag, payload)));
  let endedAt = startedAt;
  for (const id of ids) endedAt = Math.max(endedAt, stamp(await stand.succeeded(runner, id), 'final_update_at'));
  return (endedAt - startedAt) / 1000;
}
