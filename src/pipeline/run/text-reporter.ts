import type { PipelineEvent } from '../../coordinator/submission.ts';
import { createLinePrefixer } from './display/line-prefixer.ts';
import { formatSummary, type JobSummary, statusText } from './display/summary.ts';
import { createTraceLines, type TraceLines } from './display/trace-lines.ts';
import type { PipelineOutcome, PipelineReporter } from './follow.ts';

type JobEvent = Extract<PipelineEvent, { type: 'job' }>;

export interface TextReporterOptions {
  readonly jobNames: readonly string[];
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/** Job output line by line, the job's name in front, and a table at the end. */
export function createTextReporter(options: TextReporterOptions): PipelineReporter {
  const { write } = options;
  const prefixed = createLinePrefixer(options.jobNames, options.isTerminal);
  const traces = new Map<number, { readonly name: string; readonly lines: TraceLines }>();

  const print = (name: string, lines: readonly string[]): void => {
    if (lines.length > 0) write(lines.map((line) => `${prefixed(name, line)}\n`).join(''));
  };
  const close = (id: number): boolean => {
    const trace = traces.get(id);
    if (trace !== undefined) print(trace.name, trace.lines.end());
    return traces.delete(id);
  };
  const showJob = (event: JobEvent): void => {
    if (event.status === 'running' && event.attempt > 1) print(event.name, [`Attempt ${event.attempt}`]);
    if (!isOver(event) || close(event.id)) return;
    // Nothing was printed that says why.
    if (event.status === 'failed') print(event.name, [`Job ${statusText(event)}`]);
  };

  return {
    event: (event) => {
      if (event.type === 'job') showJob(event);
      if (event.type !== 'trace') return;
      let trace = traces.get(event.id);
      if (trace === undefined) {
        trace = { name: event.name, lines: createTraceLines() };
        traces.set(event.id, trace);
      }
      print(event.name, trace.lines.push(Buffer.from(event.data, 'base64')));
    },
    end: (outcome) => {
      for (const id of traces.keys()) close(id);
      write(`\n${formatSummary(outcome.jobs)}`);
      write(`\n${closingLines(outcome)}`);
    },
  };
}

function isOver(job: Pick<JobSummary, 'status'>): boolean {
  return ['success', 'failed', 'canceled', 'skipped'].includes(job.status);
}

function closingLines({ status, jobs }: PipelineOutcome): string {
  const manual = jobs.filter((job) => job.status === 'manual').map((job) => job.name);
  const waiting = manual.map((name) => `--manual ${/^[\w.:/-]+$/.test(name) ? name : JSON.stringify(name)}`);
  const hint = waiting.length === 0 ? '' : `Manual jobs that were not played: add ${waiting.join(' ')}\n`;
  return `${hint}Pipeline ${status === 'manual' ? 'waits for a manual job' : status}\n`;
}
