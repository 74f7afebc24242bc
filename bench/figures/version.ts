import { spawnSync } from 'node:child_process';
import type { Figure } from '../support/figure.ts';
import { Samples } from '../support/measurement.ts';
import { comparedPrograms, type RunnerProgram } from '../support/program.ts';

/** The whole process of `--version`: what every start of the program costs. */
export const version: Figure = {
  name: 'version',
  title: '`--version`',
  measure: async (options) => {
    const samples = new Samples();
    for (let run = -2; run < (options.runs ?? 21); run += 1) {
      for (const program of comparedPrograms(options)) {
        const seconds = secondsOf(program);
        if (run >= 0) samples.add(program.kind, seconds * 1000);
      }
    }
    return [samples.measurement('--version, whole process', 'ms', { ratioAtMost: 0.5 })];
  },
};

function secondsOf(program: RunnerProgram): number {
  const [file = '', ...first] = program.command;
  const startedAt = performance.now();
  const { status, error } = spawnSync(file, [...first, '--version'], { stdio: 'ignore' });
  const seconds = (performance.now() - startedAt) / 1000;
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${file} --version ended with ${status}`);
  return seconds;
}
