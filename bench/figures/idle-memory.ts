import { setTimeout } from 'node:timers/promises';
import type { Figure } from '../support/figure.ts';
import { Samples } from '../support/measurement.ts';
import { cpuSecondsOf, memoryOf } from '../support/process-usage.ts';
import { comparedPrograms } from '../support/program.ts';
import { withStand } from '../support/stand.ts';

/** Managers that serve one runner and have nothing to do. */
export const idleMemory: Figure = {
  name: 'idle',
  title: 'idle memory of a manager with one runner',
  measure: (options) =>
    withStand(async (stand) => {
      const resident = new Samples();
      const anonymous = new Samples();
      const cpu = new Samples();
      const runners = await stand.startRunners(comparedPrograms(options), {
        concurrent: 1,
        executor: 'shell',
        home: 'empty',
      });
      const before = runners.map(({ process }) => cpuSecondsOf(process.pid));
      await setTimeout(options.idleSeconds * 1000);
      for (const [index, { kind, process }] of runners.entries()) {
        const memory = memoryOf(process.pid);
        resident.add(kind, memory.resident);
        anonymous.add(kind, memory.anonymous);
        cpu.add(kind, ((cpuSecondsOf(process.pid) - (before[index] ?? 0)) * 1000) / options.idleSeconds);
      }
      const name = `idle for ${options.idleSeconds} s`;
      return [
        anonymous.measurement(`${name}: anonymous memory`, 'MiB', { ratioAtMost: 1.5 }),
        resident.measurement(`${name}: resident memory`, 'MiB'),
        cpu.measurement(`${name}: CPU a second`, 'ms'),
      ];
    }),
};
