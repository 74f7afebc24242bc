import type { JobStatus } from '../../../coordinator/submission.ts';
import { formatTable } from './table.ts';

/** The last that is known of a job. */
export interface JobSummary {
  readonly name: string;
  readonly stage: string;
  readonly status: JobStatus;
  readonly allowFailure: boolean;
  readonly failureReason?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly durationSeconds?: number | undefined;
  readonly coverage?: number | undefined;
  readonly attempt: number;
}

/** The table at the end of a run; jobs in the order given. */
export function formatSummary(jobs: readonly JobSummary[]): string {
  const hasCoverage = jobs.some((job) => job.coverage !== undefined);
  const header = ['JOB', 'STAGE', 'STATUS', 'DURATION', ...(hasCoverage ? ['COVERAGE'] : [])];
  const rows = jobs.map((job) => [
    job.name,
    job.stage,
    statusText(job),
    job.durationSeconds === undefined ? '' : formatDuration(job.durationSeconds),
    ...(hasCoverage ? [job.coverage === undefined ? '' : `${job.coverage}%`] : []),
  ]);
  return formatTable(header, rows);
}

/** Status with what explains it: why it failed, whether that counts, which attempt it was. */
export function statusText(job: JobSummary): string {
  const notes = [];
  if (job.status === 'failed') {
    if (job.exitCode !== undefined && job.exitCode !== 0) notes.push(`exit code ${job.exitCode}`);
    else if (job.failureReason !== undefined) notes.push(job.failureReason.replaceAll('_', ' '));
    if (job.allowFailure) notes.push('allowed');
  }
  if (job.attempt > 1) notes.push(`attempt ${job.attempt}`);
  return notes.length === 0 ? job.status : `${job.status} (${notes.join(', ')})`;
}

/** `0.4s`, `12s`, `3m 07s`, `1h 02m` */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`;
}
