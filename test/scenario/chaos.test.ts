import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { type FaultRuleInput, faultRuleSchema } from '../../src/coordinator/faults/fault-rules.ts';
import type { CoordinatorOptions } from '../../src/coordinator/options.ts';
import { filesHolding } from '../support/files-below.ts';
import { killAll, listensToSignals, type MarkedProcess, processesWith } from '../support/job-processes.ts';
import {
  finishedStatuses,
  type JobView,
  millrace,
  plainTrace,
  RunnerBench,
  type RunnerProcess,
  scriptJob,
  until,
} from '../support/runner-bench.ts';
import { sectionLines, sectionNames } from '../support/trace-parts.ts';

const iterations = Number(process.env['MILLRACE_CHAOS_ITERATIONS'] ?? 25);
const seed = Number(process.env['MILLRACE_CHAOS_SEED'] ?? 1);
const atOnce = 3;
const longMs = 280_000;

async function startBench({ onTestFinished }: TestContext, options: Partial<CoordinatorOptions>): Promise<RunnerBench> {
  const bench = await RunnerBench.start(options);
  onTestFinished(async () => {
    killAll(processesWith(`HOME=${bench.folder}`));
    await bench.close();
  });
  return bench;
}

type Random = () => number;

/** Equally distributed numbers in [0, 1), the same for the same seed. */
function randomFrom(start: number): Random {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
  };
}

const lineCount = 50;
const fileSecret = 'content-of-a-file-variable';
const maskedSecret = 'masked-value-of-the-job';

/** One job with stages of every kind, and what it leaves behind to be counted. */
interface ChaosJob {
  readonly payload: Readonly<Record<string, unknown>>;
  /** Every run of a stage appends its name. */
  readonly runs: string;
  /** Number of the last line that was written to both streams. */
  readonly progress: string;
}

function chaosJob(folder: string, repository: Repository): ChaosJob {
  const runs = join(folder, 'runs');
  const progress = join(folder, 'progress');
  const ran = (stage: string): string => `echo ${stage} >> ${runs}`;
  const count = [
    `i=0; while [ $i -lt ${lineCount} ]; do`,
    'i=$((i+1))',
    'echo "out $i héllo $MASKED"; echo "err $i" >&2',
    `echo $i > ${progress}.new; mv ${progress}.new ${progress}`,
    'sleep 0.03',
    'done',
  ].join('\n');
  const hooks = ['pre', 'post'].map((name) => ({ name: `${name}_get_sources_script`, script: [ran(name)] }));
  const payload = scriptJob({
    script: [ran('script'), count, 'cat "$SECRET_FILE"; echo', 'cat file', 'echo made > made'],
    afterScript: [ran('after'), 'echo "after $CI_JOB_STATUS"'],
    variables: { GIT_STRATEGY: 'fetch', MASKED: maskedSecret },
    moreVariables: [
      { key: 'SECRET_FILE', value: fileSecret, file: true },
      { key: 'MASKED', value: maskedSecret, masked: true },
    ],
    payload: {
      hooks,
      git_info: {
        repo_url: `file://${repository.path}`,
        ref: 'main',
        sha: repository.sha,
        before_sha: '0'.repeat(40),
        ref_type: 'branch',
        refspecs: ['+refs/heads/main:refs/remotes/origin/main'],
        depth: 20,
      },
      artifacts: [{ name: 'artifacts', paths: ['made'], artifact_type: 'archive', artifact_format: 'zip' }],
    },
  });
  return { payload, runs, progress };
}

interface Repository {
  readonly path: string;
  readonly sha: string;
}

function makeRepository(folder: string): Repository {
  const path = join(folder, 'group', 'project.git');
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', path, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      encoding: 'utf8',
    }).trim();
  mkdirSync(path, { recursive: true });
  git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(path, 'file'), 'from the repository\n');
  git('add', 'file');
  git('commit', '--quiet', '--message=first');
  return { path, sha: git('rev-parse', 'HEAD') };
}

interface Attempt {
  readonly bench: RunnerBench;
  readonly folder: string;
  readonly name: string;
  readonly token: string;
  readonly id: number;
  readonly random: Random;
  /** Last lines of scripts that were killed with their manager. */
  readonly killed: string[];
}

function startManager({ bench, name, token }: Pick<Attempt, 'bench' | 'name' | 'token'>): RunnerProcess {
  return bench.startRunner(millrace(), { name, token });
}

/** Records in the journal of the only job of a runner; 0 while there is none. */
function recordCount(runner: RunnerProcess): number {
  const jobs = join(runner.folder, 'state', 'journal', 'jobs');
  if (!existsSync(jobs)) return 0;
  for (const name of readdirSync(jobs)) {
    try {
      return readFileSync(join(jobs, name, 'records'), 'latin1').split('\n').length - 1;
    } catch {
      // It appears or vanishes right now.
    }
  }
  return 0;
}

/** Kills a manager at a moment that chance decides: some time after its start, or when it writes its nth record. */
async function killSomewhen(attempt: Attempt, runner: RunnerProcess): Promise<void> {
  const { random, bench, id } = attempt;
  const isEnded = async (): Promise<boolean> => finishedStatuses.includes((await bench.job(id)).status);
  if (random() < 0.5) {
    const end = Date.now() + 100 + random() * 2000;
    while (Date.now() < end && !(await isEnded())) await new Promise((resolve) => setTimeout(resolve, 20));
  } else {
    const wanted = recordCount(runner) + 1 + Math.floor(random() * 20);
    const deadline = Date.now() + 10_000;
    while (recordCount(runner) < wanted && Date.now() < deadline) {
      if (recordCount(runner) === 0 && (await isEnded())) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  runner.kill('SIGKILL');
  await runner.ended;
}

/**
 * Ends every process of the job, as the end of its control group would. The script is halted first, so that what it has
 * said can be known: all of that must be on disk.
 */
async function killJob(attempt: Attempt, job: ChaosJob, runner: RunnerProcess): Promise<void> {
  const processes = (): readonly MarkedProcess[] => processesWith(`HOME=${runner.folder}\0`);
  const scripts = processes().filter(({ command }) => command.startsWith('bash'));
  killAll(scripts, 'SIGSTOP');
  const said = existsSync(job.progress) ? readFileSync(job.progress, 'utf8').trim() : '';
  const isStored = (): boolean => {
    const output = filesHolding(join(runner.folder, 'state'), `err ${said}\n`);
    return said === '' || said === String(lineCount) || output.length > 0;
  };
  await until(`line ${said} on disk`, 20_000, async () => (isStored() ? true : undefined));
  killAll(processes());
  attempt.killed.push(said);
}

/** @returns how the job ended. */
async function runAttempt(bench: RunnerBench, index: number, repository: Repository): Promise<string> {
  const random = randomFrom(seed * 1000 + index);
  const name = `chaos-${index}`;
  const folder = join(bench.folder, name);
  mkdirSync(folder, { recursive: true });
  const job = chaosJob(folder, repository);
  const { token } = bench.coordinator.createRunner({ description: name, tags: [name], runUntagged: false });
  const { id } = (await bench.api('POST', `jobs?tags=${name}`, job.payload)) as JobView;
  const attempt: Attempt = { bench, folder, name, token, id, random, killed: [] };
  let runner = startManager(attempt);
  const kills = 1 + Math.floor(random() * 3);
  for (let kill = 0; kill < kills; kill += 1) {
    await killSomewhen(attempt, runner);
    if (index % 5 === 4 && kill === 0) await killJob(attempt, job, runner);
    runner = startManager(attempt);
  }
  const restartedAt = Date.now();
  const view = await bench.finished(id, 60_000);
  const tookMs = Date.now() - restartedAt;
  await listensToSignals(runner);
  runner.kill('SIGTERM');
  expect(await runner.ended, runner.log()).toBe(0);
  await checkEnd(attempt, job, view);
  await checkRemains(attempt, runner);
  return `${index}: ${kills} kills, ${view.status}, ${tookMs} ms after the last start`;
}

async function checkEnd({ bench, id }: Attempt, job: ChaosJob, view: JobView): Promise<void> {
  const trace = await bench.trace(id);
  const text = plainTrace(trace);
  const lines = text.split('\n');
  const runs = existsSync(job.runs) ? readFileSync(job.runs, 'utf8').trimEnd().split('\n') : [];
  expect(new Set(runs).size, `stages that ran: ${runs.join(' ')}`).toBe(runs.length);
  expect(text).not.toContain(maskedSecret);
  expect(view.trace_report, text).toMatchObject({ is_equal: true });
  const outs = lines.filter((line) => line.startsWith('out '));
  const errs = lines.filter((line) => line.startsWith('err '));
  expect(outs).toEqual(Array.from({ length: outs.length }, (_, line) => `out ${line + 1} héllo [MASKED]`));
  expect(errs).toEqual(Array.from({ length: errs.length }, (_, line) => `err ${line + 1}`));
  expect(new Set(sectionNames(trace)).size, text).toBe(sectionNames(trace).length);
  if (view.status === 'success') {
    expect([outs.length, errs.length], text).toEqual([lineCount, lineCount]);
    expect(sectionLines(trace, 'step_script').slice(-5), text).toEqual([
      '$ cat "$SECRET_FILE"; echo',
      fileSecret,
      '$ cat file',
      'from the repository',
      '$ echo made > made',
    ]);
    expect(runs).toEqual(['pre', 'post', 'script', 'after']);
    expect(lines.filter((line) => line === 'after success')).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('Running with '))).toHaveLength(1);
    expect(lines.at(-2)).toBe('Job succeeded');
    expect(view.artifacts).toHaveLength(1);
  } else {
    expect(view, text).toMatchObject({ status: 'failed', failure_reason: 'runner_system_failure' });
    expect(runs.filter((run) => run === 'after').length, text).toBeLessThanOrEqual(1);
    const written = existsSync(job.progress) ? Number(readFileSync(job.progress, 'utf8')) : 0;
    expect(Math.min(outs.length, errs.length), text).toBeGreaterThanOrEqual(written);
    expect(lines.at(-2)).toMatch(/^ERROR: Job failed \(system failure\): /);
  }
}

async function checkRemains({ bench, name }: Attempt, runner: RunnerProcess): Promise<void> {
  for (const secret of [fileSecret, maskedSecret]) expect(filesHolding(runner.buildsFolder, secret)).toEqual([]);
  const journal = join(runner.folder, 'state', 'journal');
  expect([readdirSync(join(journal, 'jobs')), readdirSync(join(journal, 'locks'))]).toEqual([[], []]);
  await until(
    `the processes of ${name} to end`,
    10_000,
    async () => (processesWith(`HOME=${join(bench.folder, name)}\0`).length === 0 ? true : undefined),
    async () => JSON.stringify(processesWith(`HOME=${join(bench.folder, name)}\0`)),
  );
}

describe('managers that are killed at random moments', () => {
  test(`${iterations} jobs end as if nobody had been killed, or fail openly`, { timeout: longMs }, async (context) => {
    const bench = await startBench(context, { acknowledgeTimeoutSeconds: 5 });
    const repository = makeRepository(join(bench.folder, 'repositories'));
    const waiting = Array.from({ length: iterations }, (_, index) => index);
    const ends: string[] = [];
    const worker = async (): Promise<void> => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        ends.push(await runAttempt(bench, index, repository));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const failed = ends.filter((end) => !end.includes('success'));
    // Only those fail whose scripts were killed too, every fifth.
    expect(failed.filter((end) => Number.parseInt(end, 10) % 5 !== 4)).toEqual([]);
  });
});

describe.concurrent('a manager that is killed', () => {
  interface Scene {
    readonly bench: RunnerBench;
    readonly runs: string;
    readonly id: number;
    readonly start: () => RunnerProcess;
  }

  /** A coordinator with a fault, and a job that counts its runs. */
  async function setUp(context: TestContext, fault: FaultRuleInput, ackSeconds = 60): Promise<Scene> {
    const faults = [faultRuleSchema.parse(fault)];
    const bench = await startBench(context, { faults, acknowledgeTimeoutSeconds: ackSeconds });
    const runs = join(bench.folder, 'runs');
    writeFileSync(runs, '');
    const script = [`echo run >> ${runs}`, 'echo said', 'exit 9'];
    const id = await bench.submit(scriptJob({ script, afterScript: [`echo after >> ${runs}`] }));
    return { bench, runs, id, start: () => bench.startRunner(millrace(), { name: 'killed' }) };
  }

  async function kill(runner: RunnerProcess): Promise<void> {
    runner.kill('SIGKILL');
    await runner.ended;
  }

  async function faultHit(bench: RunnerBench): Promise<void> {
    await until('the fault to hit', 20_000, async () => {
      const [fault] = (await bench.api('GET', 'faults')) as readonly { readonly injected: number }[];
      return fault !== undefined && fault.injected > 0 ? true : undefined;
    });
  }

  async function expectOneRun({ bench, id, runs }: Scene, runner: RunnerProcess, test: TestContext): Promise<void> {
    const view = await bench.finished(id);
    const text = plainTrace(await bench.trace(id));
    test.expect(view, text).toMatchObject({ status: 'failed', failure_reason: 'script_failure', exit_code: 9 });
    test.expect(view.trace_report).toMatchObject({ is_equal: true });
    test.expect(readFileSync(runs, 'utf8')).toBe('run\nafter\n');
    test.expect(text.match(/^said$/gm)).toHaveLength(1);
    await journalIsEmpty(runner);
  }

  async function journalIsEmpty(runner: RunnerProcess): Promise<void> {
    const jobs = join(runner.folder, 'state', 'journal', 'jobs');
    await until('an empty journal', 20_000, async () => (readdirSync(jobs).length === 0 ? true : undefined));
  }

  test('and whose trace was damaged: the job fails openly, and its processes end', async (context) => {
    const bench = await startBench(context, {});
    const start = (): RunnerProcess => bench.startRunner(millrace(), { name: 'killed' });
    const first = start();
    const secrets = [{ key: 'SECRET_FILE', value: fileSecret, file: true }];
    const id = await bench.submit(scriptJob({ script: ['echo started', 'sleep 1000'], moreVariables: secrets }));
    await bench.traceShows(id, 'started');
    await kill(first);
    const jobs = join(first.folder, 'state', 'journal', 'jobs');
    for (const name of readdirSync(jobs)) truncateSync(join(jobs, name, 'trace'), 10);
    const second = start();
    context
      .expect(await bench.finished(id))
      .toMatchObject({ status: 'failed', failure_reason: 'runner_system_failure' });
    await journalIsEmpty(second);
    await until('the end of its processes', 20_000, async () =>
      processesWith(`HOME=${second.folder}\0`).every(({ pid }) => pid === second.process.pid) ? true : undefined,
    );
    context.expect(filesHolding(second.buildsFolder, fileSecret)).toEqual([]);
  });

  test('while it refuses a job: the next one does not run it either', async (context) => {
    const faults = [faultRuleSchema.parse({ endpoint: 'job_update', kind: 'reset', max_count: 3 })];
    const bench = await startBench(context, { faults });
    const runs = join(bench.folder, 'runs');
    const image = { name: 'any', executor_opts: { docker: { unheard_of: true } } };
    const id = await bench.submit(scriptJob({ script: [`echo run >> ${runs}`], payload: { image } }));
    const start = (): RunnerProcess => bench.startRunner(millrace(), { name: 'killed' });
    const first = start();
    await until('the journal', 20_000, async () => (recordCount(first) > 0 ? true : undefined));
    await kill(first);
    // As if the kill had come before the end was written down.
    const jobs = join(first.folder, 'state', 'journal', 'jobs');
    for (const name of readdirSync(jobs)) {
      const [received = ''] = readFileSync(join(jobs, name, 'records'), 'utf8').split('\n');
      writeFileSync(join(jobs, name, 'records'), `${received}\n`);
    }
    const second = start();
    context
      .expect(await bench.finished(id))
      .toMatchObject({ status: 'failed', failure_reason: 'runner_system_failure' });
    context.expect(existsSync(runs)).toBe(false);
    await journalIsEmpty(second);
  });

  test('while it acknowledges a job: the next one does that, and starts the job', async (context) => {
    const scene = await setUp(context, { endpoint: 'job_update', kind: 'delay', delay_ms: 60_000, max_count: 1 });
    const first = scene.start();
    await faultHit(scene.bench);
    await kill(first);
    context.expect(readFileSync(scene.runs, 'utf8')).toBe('');
    await expectOneRun(scene, scene.start(), context);
  });

  test('while it acknowledges a job that is then handed out again: one of the two runs', async (context) => {
    const scene = await setUp(context, { endpoint: 'job_update', kind: 'delay', delay_ms: 60_000, max_count: 1 }, 2);
    const first = scene.start();
    await faultHit(scene.bench);
    await kill(first);
    await until('the job to be in the queue again', 20_000, async () =>
      (await scene.bench.job(scene.id)).times['handed_out_at'] === null ? true : undefined,
    );
    await expectOneRun(scene, scene.start(), context);
  });

  test('while the coordinator does not take the end of a job: the next one reports it', async (context) => {
    const scene = await setUp(context, { endpoint: 'job_update', kind: 'reset', skip_first: 1, max_count: 2 });
    const first = scene.start();
    await until('a failed report', 20_000, async () =>
      first.log().includes('Submitting job to coordinator... failed') ? true : undefined,
    );
    await kill(first);
    await expectOneRun(scene, scene.start(), context);
  });

  test('after the coordinator took the end of a job, before it knew: nothing is done twice', async (context) => {
    const fault = { endpoint: 'job_update', kind: 'reset', when: 'after', skip_first: 1, max_count: 2 } as const;
    const scene = await setUp(context, fault);
    const first = scene.start();
    await scene.bench.finished(scene.id);
    await kill(first);
    await expectOneRun(scene, scene.start(), context);
  });

  test('while it waits for a slow answer to the end of a job: the next one tells it again', async (context) => {
    const fault = { endpoint: 'job_update', kind: 'delay', delay_ms: 2000, skip_first: 1, max_count: 1 } as const;
    const scene = await setUp(context, fault);
    const first = scene.start();
    await until('the end of the script', 20_000, async () =>
      readFileSync(scene.runs, 'utf8').includes('after') ? true : undefined,
    );
    await scene.bench.traceShows(scene.id, 'Job failed');
    await kill(first);
    await expectOneRun(scene, scene.start(), context);
  });
});
