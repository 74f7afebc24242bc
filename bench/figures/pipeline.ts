import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions, Figure } from '../support/figure.ts';
import { type Measurement, Samples } from '../support/measurement.ts';

const listedJobs = 200;

/** What the `pipeline` commands take; the peer has none. */
export const pipeline: Figure = {
  name: 'pipeline',
  title: '`pipeline list` and `pipeline run`',
  measure: async (options) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    try {
      return [measureList(folder, options), ...measureRun(folder, options)];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function measureList(folder: string, options: BenchOptions): Measurement {
  const samples = new Samples();
  const jobs = Array.from(
    { length: listedJobs },
    (_, index) => `job ${index}:\n  rules:\n    - if: $CI_COMMIT_BRANCH\n  script: echo ${index}\n`,
  );
  const checkout = makeCheckout(join(folder, 'list'), jobs.join('\n'));
  for (let run = -1; run < (options.runs ?? 10); run += 1) {
    const startedAt = performance.now();
    millrace(options, checkout, ['pipeline', 'list']);
    if (run >= 0) samples.add('millrace', (performance.now() - startedAt) / 1000);
  }
  return samples.measurement(`pipeline list of ${listedJobs} jobs`, 's', { oursAtMost: 0.2 });
}

/** Two chains that do not need each other: 1 s + 1 s, and 6 s. The last job of each writes down when it is done. */
const chains = `
stages: [first, second]
short-1:
  stage: first
  script: sleep 1
short-2:
  stage: second
  needs: [short-1]
  script: [sleep 1, 'date +%s.%N >"$CHAINS/short"']
long:
  stage: first
  script: [sleep 6, 'date +%s.%N >"$CHAINS/long"']
`;

function measureRun(folder: string, options: BenchOptions): readonly Measurement[] {
  const shortChain = new Samples();
  const longChain = new Samples();
  const whole = new Samples();
  const checkout = makeCheckout(join(folder, 'run'), chains);
  for (let run = 0; run < (options.runs ?? 3); run += 1) {
    const startedAt = Date.now();
    millrace(options, checkout, ['pipeline', 'run', '--variable', `CHAINS=${folder}`]);
    whole.add('millrace', (Date.now() - startedAt) / 1000);
    shortChain.add('millrace', endOf(folder, 'short') - startedAt / 1000);
    longChain.add('millrace', endOf(folder, 'long') - startedAt / 1000);
  }
  return [
    shortChain.measurement('pipeline run: end of the chain of 1 s + 1 s', 's', { oursAtMost: 2.5 }),
    longChain.measurement('pipeline run: end of the chain of 6 s', 's', { oursAtMost: 6.5 }),
    whole.measurement('pipeline run: the whole command', 's'),
  ];
}

function endOf(folder: string, chain: string): number {
  return Number(readFileSync(join(folder, chain), 'utf8'));
}

function makeCheckout(folder: string, configuration: string): string {
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', folder]);
  writeFileSync(join(folder, '.gitlab-ci.yml'), configuration);
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', '-c', 'commit.gpgsign=false'];
  execFileSync('git', ['-C', folder, 'add', '.']);
  execFileSync('git', ['-C', folder, ...identity, 'commit', '--quiet', '--message', 'Configuration']);
  return folder;
}

function millrace(options: BenchOptions, checkout: string, args: readonly string[]): void {
  const [file = '', ...first] = options.ours.command;
  const state = join(checkout, '..', 'state');
  const result = spawnSync(file, [...first, ...args], {
    cwd: checkout,
    encoding: 'utf8',
    env: { ...process.env, MILLRACE_STATE_DIR: state },
  });
  if (result.status !== 0) throw new Error(`${args.join(' ')} ended with ${result.status}:\n${result.stderr}`);
}
