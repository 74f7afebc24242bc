import { scriptJob } from '../../test/support/runner-bench.ts';
import type { BenchOptions, Figure } from '../support/figure.ts';
import { type Measurement, Samples } from '../support/measurement.ts';
import { comparedPrograms } from '../support/program.ts';
import type { Home } from '../support/runner-process.ts';
import { jobSeconds, withStand } from '../support/stand.ts';

const warmUps = 2;

/** One job that runs `true`. */
export const trivialJob: Figure = {
  name: 'trivial',
  title: 'one job that runs `true` in a shell',
  measure: async (options) => [
    await measureWith(options, 'yours', 'your profile'),
    await measureWith(options, 'empty', 'no profile'),
  ],
};

function measureWith(options: BenchOptions, home: Home, name: string): Promise<Measurement> {
  return withStand(async (stand) => {
    const samples = new Samples();
    const runners = await stand.startRunners(comparedPrograms(options), { concurrent: 1, executor: 'shell', home });
    const payload = scriptJob({ script: ['true'] });
    for (let run = -warmUps; run < (options.runs ?? 15); run += 1) {
      for (const runner of runners) {
        const job = await stand.runJob(runner, payload);
        if (run >= 0) samples.add(runner.kind, jobSeconds(job));
      }
    }
    const target = home === 'yours' ? { ratioAtMost: 0.25 } : undefined;
    return samples.measurement(`trivial shell job, hand-out to final update (${name})`, 's', target);
  });
}
