import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { scriptJob, until } from '../../test/support/runner-bench.ts';
import type { BenchOptions, Figure } from '../support/figure.ts';
import { type Measurement, Samples } from '../support/measurement.ts';
import { comparedPrograms } from '../support/program.ts';
import { jobSeconds, type Runner, type Stand, withStand } from '../support/stand.ts';

const totalBytes = 100_000_000;
const lineBytes = 100;
const wideLimitKib = 204_800;
const secretCount = 50;
/** A line in so many has a masked value. */
const secretEvery = 1000;
const deadlineMs = 300_000;
const probe = fileURLToPath(new URL('../event-loop-probe.cjs', import.meta.url));

/** A job whose output is 100 MB of 100-byte lines, with 50 masked values. */
export const flood: Figure = {
  name: 'flood',
  title: '100 MB of output with 50 masked values',
  measure: async (options) => [
    ...(await withStand((stand) => measureTime(stand, options, 'default output_limit', undefined))),
    ...(await withStand((stand) => measureTime(stand, options, 'output_limit of 200 MB', wideLimitKib))),
    ...(await withStand((stand) => measureLoop(stand, options, 'default output_limit', undefined))),
    ...(await withStand((stand) => measureLoop(stand, options, 'output_limit of 200 MB', wideLimitKib))),
  ],
};

async function measureTime(
  stand: Stand,
  options: BenchOptions,
  name: string,
  outputLimit: number | undefined,
): Promise<readonly Measurement[]> {
  const samples = new Samples();
  const payload = floodJob(stand.folder);
  const settings = { concurrent: 1, executor: 'shell', home: 'empty', outputLimit } as const;
  const runners = await stand.startRunners(comparedPrograms(options), settings);
  for (const runner of runners) await stand.runJob(runner, scriptJob({ script: ['true'] }));
  for (let run = 0; run < (options.runs ?? 3); run += 1) {
    for (const runner of runners) {
      samples.add(runner.kind, jobSeconds(await stand.runJob(runner, payload, deadlineMs)));
    }
  }
  return [samples.measurement(`100 MB of output, ${name}`, 's', { ratioAtMost: 1 })];
}

/** How late our event loop is meanwhile: jobs share it. */
async function measureLoop(
  stand: Stand,
  options: BenchOptions,
  name: string,
  outputLimit: number | undefined,
): Promise<readonly Measurement[]> {
  const file = join(stand.folder, 'loop.json');
  const command = [process.execPath, '-r', probe, options.bundle];
  const runner = await stand.startRunner(
    { kind: 'millrace', command },
    { concurrent: 1, executor: 'shell', home: 'empty', outputLimit, environment: { MILLRACE_BENCH_LOOP_FILE: file } },
  );
  await stand.runJob(runner, scriptJob({ script: ['true'] }));
  const payload = floodJob(stand.folder);
  const delays: number[] = [];
  for (let run = 0; run < (options.runs ?? 3); run += 1) {
    await takeDelay(runner, file);
    await stand.runJob(runner, payload, deadlineMs);
    delays.push((await takeDelay(runner, file)).p999);
    await setTimeout(100);
  }
  return [{ name: `event loop delay p99.9, ${name}`, unit: 'ms', ours: delays, peer: [], target: { oursAtMost: 50 } }];
}

async function takeDelay(runner: Runner, file: string): Promise<{ readonly p999: number }> {
  rmSync(file, { force: true });
  runner.process.signal('SIGUSR2');
  return await until('report of the event loop', 30_000, async () =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly p999: number }) : undefined,
  );
}

/** Writes the output to a file once; the job is `cat`. Both write timestamps, which one does by default. */
function floodJob(folder: string): unknown {
  const path = join(folder, 'flood.txt');
  const secrets = Array.from({ length: secretCount }, (_, index) => secret(index));
  if (!existsSync(path)) writeFileSync(path, floodText(secrets));
  return scriptJob({
    script: [`cat '${path}'`],
    variables: { FF_TIMESTAMPS: 'true' },
    moreVariables: secrets.map((value, index) => ({ key: `SECRET_${index}`, value, public: false, masked: true })),
  });
}

/** 8 to 39 characters that occur nowhere else. */
function secret(index: number): string {
  return `Zq${index}x`.padEnd(8 + (index % 32), 'K9fWp2Vt7Rm4Yc1');
}

const words =
  'compiling module src/lib/server.ts warning: at line 120 of https://example.com/a/b?c=d&e=f took 12 s'.split(' ');

function floodText(secrets: readonly string[]): string {
  const lines: string[] = [];
  let word = 0;
  for (let line = 0; line < totalBytes / lineBytes; line += 1) {
    let text = line % secretEvery === 0 ? `token ${secrets[(line / secretEvery) % secretCount]} ` : `${line} `;
    while (text.length < lineBytes - 1) {
      text += `${words[word % words.length]} `;
      word += 7;
    }
    lines.push(text.slice(0, lineBytes - 1));
  }
  return `${lines.join('\n')}\n`;
}
