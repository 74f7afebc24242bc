import type { JournalRecord, RecordedResult, StageEnd } from '../journal/records.ts';
import type { JsonValue } from '../lib/json.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { TraceSnapshot } from '../trace/port.ts';

/** One run of a stage as an earlier manager left it. */
export interface RecordedStage {
  readonly stage: string;
  readonly startedAtMs: number;
  readonly handle: JsonValue;
  /** Absent: it was running when the manager died. */
  readonly end: StageEnd | undefined;
}

export type RecordedStop = Extract<JournalRecord, { readonly type: 'stopped' }>;

/** What a job's journal says has happened so far. For a new job: nothing. */
export interface BuildHistory {
  readonly plan: BuildPlan | undefined;
  readonly isAcknowledged: boolean;
  readonly clockStartedAtMs: number | undefined;
  readonly environment: JsonValue;
  /** Count of manager writes when the executor was ready; undefined = it never was. */
  readonly preparedAtWrites: number | undefined;
  readonly stages: ReadonlyMap<number, RecordedStage>;
  /** Runs of stages that were recorded but never started. */
  readonly voidRuns: ReadonlySet<number>;
  readonly stops: readonly RecordedStop[];
  readonly trace: TraceSnapshot | undefined;
  /** Where reading the running stage's output goes on. */
  readonly cursor: { readonly run: number; readonly value: JsonValue } | undefined;
  readonly result: RecordedResult | undefined;
}

/** Folds a journal's records into the state they describe. */
export function readHistory(records: readonly JournalRecord[]): BuildHistory {
  const stages = new Map<number, RecordedStage>();
  const voidRuns = new Set<number>();
  const stops: RecordedStop[] = [];
  let history: Omit<BuildHistory, 'stages' | 'voidRuns' | 'stops'> = {
    plan: undefined,
    isAcknowledged: false,
    clockStartedAtMs: undefined,
    environment: null,
    preparedAtWrites: undefined,
    trace: undefined,
    cursor: undefined,
    result: undefined,
  };
  for (const record of records) {
    switch (record.type) {
      case 'received':
        history = { ...history, plan: record.plan ?? undefined };
        break;
      case 'acknowledged':
        history = { ...history, isAcknowledged: true };
        break;
      case 'clockStarted':
        history = { ...history, clockStartedAtMs: record.atMs };
        break;
      case 'environment':
        history = { ...history, environment: record.handle };
        break;
      case 'prepared':
        history = {
          ...history,
          trace: asSnapshot(record.trace),
          preparedAtWrites: asSnapshot(record.trace).managerWrites,
        };
        break;
      case 'stageStarted':
        stages.set(record.run, { stage: record.stage, startedAtMs: record.atMs, handle: null, end: undefined });
        break;
      case 'stageHandle':
        changeStage(stages, record.run, { handle: record.handle });
        break;
      case 'checkpoint':
        history = { ...history, trace: asSnapshot(record.trace), cursor: cursorOf(record.run, record.cursor) };
        break;
      case 'stageEnded':
        changeStage(stages, record.run, { end: record.end });
        history = { ...history, trace: asSnapshot(record.trace), cursor: undefined };
        break;
      case 'stageVoid':
        voidRuns.add(record.run);
        break;
      case 'stopped':
        stops.push(record);
        break;
      case 'finished':
        history = { ...history, result: record.result, trace: asSnapshot(record.trace) };
        break;
    }
  }
  return { ...history, stages, voidRuns, stops };
}

function changeStage(stages: Map<number, RecordedStage>, run: number, change: Partial<RecordedStage>): void {
  const stage = stages.get(run) ?? { stage: '', startedAtMs: 0, handle: null, end: undefined };
  stages.set(run, { ...stage, ...change });
}

function cursorOf(run: number | null, value: JsonValue): BuildHistory['cursor'] {
  return run === null ? undefined : { run, value };
}

/** Our own data, written by `BuildRecorder`. */
function asSnapshot(value: JsonValue): TraceSnapshot {
  return value as unknown as TraceSnapshot;
}
