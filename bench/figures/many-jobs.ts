import { scriptJob } from '../../test/support/runner-bench.ts';
import type { Figure } from '../support/figure.ts';
import { Samples } from '../support/measurement.ts';
import { cpuSecondsOf, memoryOf, peakMemoryOf } from '../support/process-usage.ts';
import { stamp, withStand } from '../support/stand.ts';

const jobCount = 500;
const sleepMs = 5000;
const outputBytes = 20_000;
const deadlineMs = 300_000;

/** Hundreds of jobs in one manager, without processes of their own: what a job costs the manager itself. */
export const manyJobs: Figure = {
  name: 'many',
  title: `${jobCount} jobs at once on the dummy executor`,
  measure: (options) =>
    withStand(async (stand) => {
      const runner = await stand.startRunner(options.ours, { concurrent: jobCount, executor: 'dummy', home: 'empty' });
      await stand.runJob(runner, scriptJob({ script: ['true'] }));
      const payload = scriptJob({
        script: ['true'],
        variables: { DUMMY_SLEEP_MS: String(sleepMs), DUMMY_OUTPUT_BYTES: String(outputBytes) },
      });
      const { pid } = runner.process;
      const memoryBefore = memoryOf(pid).resident;
      const cpuBefore = cpuSecondsOf(pid);
      const startedAt = Date.now();
      const ids = await Promise.all(
        Array.from({ length: jobCount }, () => stand.coordinator.submit(runner.tag, payload)),
      );
      let endedAt = startedAt;
      for (const id of ids) {
        endedAt = Math.max(endedAt, stamp(await stand.succeeded(runner, id, deadlineMs), 'final_update_at'));
      }
      const results: readonly (readonly [string, string, number])[] = [
        ['all ended after', 's', (endedAt - startedAt) / 1000],
        ['CPU a job', 'ms', ((cpuSecondsOf(pid) - cpuBefore) * 1000) / jobCount],
        ['most memory', 'MiB', peakMemoryOf(pid)],
        ['memory a job', 'KiB', ((peakMemoryOf(pid) - memoryBefore) * 1024) / jobCount],
      ];
      return results.map(([name, unit, value]) => {
        const samples = new Samples();
        samples.add('millrace', value);
        return samples.measurement(`${jobCount} dummy jobs at once: ${name}`, unit);
      });
    }),
};
