// Measures the program of dist/ and, with --peer, the Go runner beside it. See bench/README.md.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { archives } from './figures/archives.ts';
import { dockerJob } from './figures/docker-job.ts';
import { flood } from './figures/flood.ts';
import { fortyJobs } from './figures/forty-jobs.ts';
import { gitClone } from './figures/git-clone.ts';
import { idleMemory } from './figures/idle-memory.ts';
import { manyJobs } from './figures/many-jobs.ts';
import { pipeline } from './figures/pipeline.ts';
import { trivialJob } from './figures/trivial-job.ts';
import { version } from './figures/version.ts';
import type { BenchOptions, Figure } from './support/figure.ts';
import { isMet, type Measurement, ratio, summary } from './support/measurement.ts';
import { table } from './support/table.ts';

const figures: readonly Figure[] = [
  trivialJob,
  fortyJobs,
  flood,
  gitClone,
  version,
  idleMemory,
  manyJobs,
  pipeline,
  archives,
  dockerJob,
];

const help = `Measures Millrace, and the Go runner beside it.

  --peer PATH            the Go runner to compare with
  --peer-helper PATH     its helper, for caches and artifacts (default: the program of --peer)
  --only NAME[,NAME...]  ${figures.map(({ name }) => name).join(', ')}
  --runs COUNT           samples per program and figure (default: as many as the figure needs)
  --idle-seconds COUNT   before idle memory is read (default: 60)
  --program PATH         instead of dist/millrace; its bundle is PATH.cjs
  --json                 all samples as JSON
`;

interface Wanted {
  readonly options: BenchOptions;
  readonly chosen: readonly Figure[];
  readonly json: boolean;
}

/** @returns undefined when only the help was asked for */
function readArguments(): Wanted | undefined {
  const { values } = parseArgs({
    options: {
      peer: { type: 'string' },
      'peer-helper': { type: 'string' },
      only: { type: 'string', multiple: true },
      runs: { type: 'string' },
      'idle-seconds': { type: 'string', default: '60' },
      program: { type: 'string', default: fileURLToPath(new URL('../dist/millrace', import.meta.url)) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const names = values.only?.flatMap((text) => text.split(','));
  const unknown = names?.find((name) => figures.every((figure) => figure.name !== name));
  if (unknown !== undefined) throw new Error(`there is no figure ${unknown}`);
  const helper = values['peer-helper'] ?? values.peer;
  return {
    options: {
      ours: { kind: 'millrace', command: [values.program] },
      bundle: `${values.program}.cjs`,
      peer: values.peer === undefined ? undefined : { kind: 'peer', command: [values.peer] },
      peerHelper: helper === undefined ? undefined : { kind: 'peer', command: [helper] },
      runs: values.runs === undefined ? undefined : positive('runs', values.runs),
      idleSeconds: positive('idle-seconds', values['idle-seconds']),
    },
    chosen: figures.filter(({ name }) => names?.includes(name) ?? true),
    json: values.json,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} ${text} is not a positive whole number`);
}

function asJson(measurements: readonly Measurement[]): string {
  const lines = measurements.map((measurement) => ({
    ...measurement,
    summary: { ours: summary(measurement.ours) ?? null, peer: summary(measurement.peer) ?? null },
    ratio: ratio(measurement) ?? null,
    isMet: isMet(measurement) ?? null,
  }));
  return JSON.stringify(lines, undefined, 2);
}

// What the stands started is ended when this process exits, and so it must exit rather than be killed.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const wanted = readArguments();
if (wanted === undefined) {
  console.log(help);
} else {
  const measurements: Measurement[] = [];
  for (const figure of wanted.chosen) {
    console.error(`${figure.title} ...`);
    measurements.push(...(await figure.measure(wanted.options)));
  }
  console.log(wanted.json ? asJson(measurements) : table(measurements));
}
