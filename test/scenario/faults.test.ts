import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import type { FaultRule, FaultRuleInput } from '../../src/coordinator/faults/fault-rules.ts';
import { type FaultEndpoint, faultEndpoints, faultRuleSchema } from '../../src/coordinator/faults/fault-rules.ts';
import type { CoordinatorOptions } from '../../src/coordinator/options.ts';
import {
  finishedStatuses,
  type JobView,
  millrace,
  plainTrace,
  RunnerBench,
  scriptJob,
  until,
} from '../support/runner-bench.ts';
import { sectionLines, sectionNames } from '../support/trace-parts.ts';

const longMs = 280_000;

/** A bench that ends with its test; tests that mostly wait run side by side. */
async function startBench({ onTestFinished }: TestContext, options: Partial<CoordinatorOptions>): Promise<RunnerBench> {
  const bench = await RunnerBench.start(options);
  onTestFinished(() => bench.close());
  return bench;
}

function rule(input: FaultRuleInput): FaultRule {
  return faultRuleSchema.parse(input);
}

/** Ten faults of different kinds, each hitting a hundredth of the requests. */
function tenPercent(endpoint: FaultEndpoint): readonly FaultRule[] {
  const each = { endpoint, rate: 0.01 };
  return [
    rule({ ...each, kind: 'status', status: 408 }),
    rule({ ...each, kind: 'status', status: 429, retry_after_seconds: 1 }),
    rule({ ...each, kind: 'status', status: 500 }),
    rule({ ...each, kind: 'status', status: 502 }),
    rule({ ...each, kind: 'status', status: 503 }),
    rule({ ...each, kind: 'status', status: 500, when: 'after' }),
    rule({ ...each, kind: 'delay', delay_ms: 300 }),
    rule({ ...each, kind: 'reset' }),
    rule({ ...each, kind: 'reset', when: 'after' }),
    rule({ ...each, kind: 'truncate' }),
  ];
}

interface ExpectedJob {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly sections: Readonly<Record<string, readonly string[]>>;
  readonly end: Partial<JobView>;
  readonly lastLine: string;
}

const succeeds = { end: { status: 'success' }, lastLine: 'Job succeeded' } as const;
const failsWith = (code: number) =>
  ({
    end: { status: 'failed', failure_reason: 'script_failure', exit_code: code },
    lastLine: `ERROR: Job failed: exit status ${code}`,
  }) as const;

/** The numberth job on the shell executor. It counts its runs in a file. */
function shellJob(number: number, runs: string): ExpectedJob {
  const count = `echo ${number} >> ${runs}`;
  const counted = [`$ ${count}`];
  switch (number % 5) {
    case 0:
      return {
        payload: scriptJob({ script: [count, `echo "job ${number} says so"`] }),
        sections: { step_script: [...counted, `$ echo "job ${number} says so"`, `job ${number} says so`] },
        ...succeeds,
      };
    case 1:
      return {
        payload: scriptJob({
          script: [count, `echo "job ${number} fails"`, `exit ${(number % 200) + 1}`],
          afterScript: ['echo "after $CI_JOB_STATUS"'],
        }),
        sections: {
          step_script: [
            ...counted,
            `$ echo "job ${number} fails"`,
            `job ${number} fails`,
            `$ exit ${(number % 200) + 1}`,
          ],
          after_script: ['Running after script...', '$ echo "after $CI_JOB_STATUS"', 'after failed'],
        },
        ...failsWith((number % 200) + 1),
      };
    case 2: {
      const lines = Array.from({ length: 400 }, (_, line) => `job ${number} line ${line} ${'x'.repeat(number % 70)}`);
      const loop = `i=0; while [ $i -lt 400 ]; do echo "job ${number} line $i ${'x'.repeat(number % 70)}"; i=$((i+1)); done`;
      return {
        payload: scriptJob({ script: [count, loop] }),
        sections: { step_script: [...counted, `$ ${loop}`, ...lines] },
        ...succeeds,
      };
    }
    case 3:
      return {
        payload: scriptJob({ script: [count, 'echo out', 'echo err >&2', 'false', 'echo not reached'] }),
        sections: {
          step_script: [...counted, '$ echo out', 'out', '$ echo err >&2', 'err', '$ false'],
        },
        ...failsWith(1),
      };
    default:
      return {
        payload: scriptJob({ script: [count, 'echo 1', 'sleep 1.2', 'echo 2'], afterScript: ['exit 3'] }),
        sections: {
          step_script: [...counted, '$ echo 1', '1', '$ sleep 1.2', '$ echo 2', '2'],
          after_script: ['Running after script...', '$ exit 3'],
        },
        ...succeeds,
      };
  }
}

/** The numberth job on the dummy executor: some output, some size, some exit code. */
function dummyJob(number: number): ExpectedJob {
  const code = number % 3 === 0 ? (number % 100) + 1 : 0;
  const fillLines = number % 50 === 0 ? 20_000 : 10;
  const fill = `${'0123456789abcdef'.repeat(4)}\n`;
  return {
    payload: scriptJob({
      script: ['true'],
      variables: {
        DUMMY_OUTPUT: `dummy ${number}\n`,
        DUMMY_OUTPUT_BYTES: String(fillLines * fill.length),
        DUMMY_EXIT_CODE: String(code),
      },
    }),
    sections: { step_script: [`dummy ${number}`, ...fill.repeat(fillLines).trimEnd().split('\n')] },
    ...(code === 0 ? succeeds : failsWith(code)),
  };
}

/** Nothing of the manager may go wrong unforeseen, whatever the coordinator does. */
function expectNoSurprise(log: string): void {
  expect(log.split('\n').filter((line) => /unexpected|Unhandled|panic/i.test(line))).toEqual([]);
}

describe('a coordinator of which every tenth request goes wrong', () => {
  test('500 jobs: each runs once, ends as it should, and no byte of its trace is lost or doubled', {
    timeout: longMs,
  }, async (context) => {
    const started = await startBench(context, {
      faults: faultEndpoints.flatMap(tenPercent),
      faultSeed: 20_240_601,
      acknowledgeTimeoutSeconds: 10,
    });
    const runs = join(started.folder, 'runs');
    writeFileSync(runs, '');
    const expected = new Map<number, ExpectedJob>();
    const submit = async (tag: string, job: ExpectedJob): Promise<void> => {
      const view = (await started.api('POST', `jobs?tags=${tag}`, job.payload)) as JobView;
      expected.set(view.id, job);
    };
    const shellNumbers = Array.from({ length: 260 }, (_, number) => number);
    for (const number of shellNumbers) await submit('shell', shellJob(number, runs));
    for (let number = 0; number < 240; number += 1) await submit('dummy', dummyJob(number));
    const runners = ['shell', 'dummy'].map((executor) => {
      const { token } = started.coordinator.createRunner({ description: executor, tags: [executor] });
      return started.startRunner(millrace(), { name: executor, executor, token, concurrent: 20 });
    });
    for (const [id, job] of expected) await expectEnd(started, id, job);
    const counted = readFileSync(runs, 'utf8').trimEnd().split('\n').map(Number);
    expect(counted.sort((a, b) => a - b)).toEqual(shellNumbers);
    const faults = (await started.api('GET', 'faults')) as readonly { readonly injected: number }[];
    expect(faults.reduce((sum, { injected }) => sum + injected, 0)).toBeGreaterThan(100);
    for (const runner of runners) expectNoSurprise(runner.log());
  });

  test('artifacts arrive whole', { timeout: longMs }, async (context) => {
    const started = await startBench(context, {
      faults: faultEndpoints.flatMap(tenPercent),
      faultSeed: 7,
      acknowledgeTimeoutSeconds: 10,
    });
    const runner = started.startRunner(millrace(), { concurrent: 6 });
    const numbers = Array.from({ length: 12 }, (_, number) => number);
    const make = (number: number): string => `i=0; while [ $i -lt 20000 ]; do echo "${number} $i"; i=$((i+1)); done`;
    const jobs = numbers.flatMap((number) => [
      pipelineJob(`make ${number}`, 'build', {
        needs: [],
        script: [`{ ${make(number)}; } > data`],
        artifacts: [{ name: 'artifacts', paths: ['data'], artifact_type: 'archive', artifact_format: 'zip' }],
      }),
      pipelineJob(`use ${number}`, 'test', {
        needs: [{ job: `make ${number}` }],
        script: [`{ ${make(number)}; } | cmp - data && echo equal`],
      }),
    ]);
    const { id } = (await started.api('POST', 'pipelines', pipelineOf(jobs))) as { readonly id: number };
    const pipeline = await until('the pipeline to end', longMs, async () => {
      const view = (await started.api('GET', `pipelines/${id}`)) as PipelineView;
      return view.jobs.every((job) => finishedStatuses.includes(job.status)) ? view : undefined;
    });
    for (const job of pipeline.jobs) {
      const trace = plainTrace(await started.trace(job.id));
      expect(job, trace).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
      if (job.name.startsWith('use')) expect(trace).toContain('\nequal\n');
    }
    expectNoSurprise(runner.log());
  });
});

interface PipelineView {
  readonly jobs: readonly JobView[];
}

describe.concurrent('a lost answer', () => {
  const lost: readonly (readonly [string, FaultRuleInput])[] = [
    ['reset', { endpoint: 'job_request', kind: 'reset', when: 'after', max_count: 1 }],
    ['cut', { endpoint: 'job_request', kind: 'truncate', max_count: 1 }],
    ['replaced by an error', { endpoint: 'job_request', kind: 'status', status: 500, when: 'after', max_count: 1 }],
  ];
  test.for(lost)(
    'to a job request (%s): the job is handed out again once nobody acknowledges it',
    async ([, fault], context) => {
      const { expect } = context;
      const started = await startBench(context, { faults: [rule(fault)], acknowledgeTimeoutSeconds: 2 });
      const runs = join(started.folder, 'runs');
      const id = await started.submit(scriptJob({ script: [`echo run >> ${runs}`] }));
      const runner = started.startRunner(millrace());
      expect(await started.finished(id)).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
      expect(readFileSync(runs, 'utf8')).toBe('run\n');
      expectNoSurprise(runner.log());
    },
  );

  const missed: readonly (readonly [string, FaultRuleInput])[] = [
    ['lost on the way', { endpoint: 'job_update', kind: 'reset', max_count: 1 }],
    ['refused by a proxy', { endpoint: 'job_update', kind: 'status', status: 503, max_count: 5 }],
    ['heard, but not answered', { endpoint: 'job_update', kind: 'reset', when: 'after', max_count: 1 }],
  ];
  test.for(missed)(
    'to the acknowledgement (%s): the job goes on, and is not handed out twice',
    async ([, fault], context) => {
      const { expect } = context;
      const started = await startBench(context, { faults: [rule(fault)], acknowledgeTimeoutSeconds: 4 });
      const runs = join(started.folder, 'runs');
      // Two managers: a job that were handed out again would be run by the other one.
      const { token } = started.coordinator.createRunner({ description: 'both' });
      for (const name of ['one', 'two']) started.startRunner(millrace(), { name, token });
      const id = await started.submit(scriptJob({ script: [`echo run >> ${runs}`, 'sleep 6'] }));
      expect(await started.finished(id)).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
      expect(readFileSync(runs, 'utf8')).toBe('run\n');
    },
  );
});

async function expectEnd(started: RunnerBench, id: number, job: ExpectedJob): Promise<void> {
  const view = await started.finished(id, longMs);
  const trace = await started.trace(id);
  expect(view, `job ${id}: ${plainTrace(trace)}`).toMatchObject({ ...job.end, trace_report: { is_equal: true } });
  for (const [section, lines] of Object.entries(job.sections)) {
    expect(sectionLines(trace, section), `job ${id}`).toEqual(lines);
  }
  expect(plainTrace(trace).split('\n').at(-2), `job ${id}`).toBe(job.lastLine);
  expect(new Set(sectionNames(trace)).size, `job ${id}`).toBe(sectionNames(trace).length);
}

function pipelineJob(
  name: string,
  stage: string,
  { script, ...job }: Readonly<Record<string, unknown>> & { readonly script: readonly string[] },
): Readonly<Record<string, unknown>> {
  return {
    name,
    stage,
    dependencies: null,
    when: 'on_success',
    timeout_seconds: 600,
    variables_below_dotenv: [],
    variables_above_dotenv: [{ key: 'GIT_STRATEGY', value: 'none' }],
    steps: [{ name: 'script', script }],
    ...job,
  };
}

function pipelineOf(jobs: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> {
  return {
    project: { id: 1, name: 'app', path: 'group/app' },
    git: {
      ref: 'main',
      ref_type: 'branch',
      sha: 'a'.repeat(40),
      before_sha: '0'.repeat(40),
      protected: false,
      depth: 20,
    },
    stages: ['build', 'test'],
    jobs,
  };
}
