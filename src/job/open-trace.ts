import { join } from 'node:path';
import type { RunnerConfig } from '../config/runner-config.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import type { JobJournal } from '../journal/job-journal.ts';
import { errorMessage, StorageError } from '../lib/errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { createJobTrace, type JobTraceOptions, restoreJobTrace } from '../trace/job-trace.ts';
import type { JobTrace, TraceDestination } from '../trace/port.ts';
import { TraceSender } from '../trace/trace-sender.ts';
import { BuildRecorder } from './build-recorder.ts';
import type { BuildProblem } from './build-result.ts';
import { BuildSignals } from './build-signals.ts';
import type { BuildHistory } from './history.ts';
import type { JobEngine } from './open-job.ts';

/** The trace of a job with what belongs to it: its journal's recorder, its sender, and the signals the server moves. */
export interface OpenTrace {
  readonly trace: JobTrace;
  readonly recorder: BuildRecorder;
  readonly sender: TraceSender;
  readonly signals: BuildSignals;
  readonly supportedFailureReasons: readonly string[];
  /** Set when trace or journal could not be written: it decides the job's result. */
  fatalProblem(): BuildProblem | undefined;
}

interface TraceOwner {
  readonly runner: RunnerConfig;
  readonly destination: TraceDestination;
  readonly payload?: JobPayload;
}

/**
 * Opens the trace of a job, new or where an earlier manager left it. One that cannot be taken up is begun anew, for the
 * job's end.
 * @throws StorageError when no trace can be made.
 */
export async function openJobTrace(
  engine: JobEngine,
  journal: JobJournal,
  plan: BuildPlan | undefined,
  owner: TraceOwner,
  history: BuildHistory,
): Promise<OpenTrace> {
  let fatal: BuildProblem | undefined;
  const failOnStorage = (error: unknown): void => {
    if (fatal !== undefined) return;
    fatal = { kind: 'error', reason: 'runner_system_failure', isClassified: true, message: errorMessage(error) };
    engine.logger.error('Cannot write the files of a job', { error: errorMessage(error) });
    signals.stopJob('aborted', errorMessage(error));
  };
  const signals = new BuildSignals((scope, reason) =>
    guarded(failOnStorage, () =>
      journal.append({ type: 'stopped', scope, reason: reason.kind, message: reason.message }),
    ),
  );
  const settings = plan === undefined ? settingsWithoutPlan(owner) : settingsOf(plan);
  const options = {
    ...settings,
    path: join(journal.folder, 'trace'),
    clock: engine.clock,
    onStorageError: failOnStorage,
  };
  const trace = await openOrRestore(options, history, failOnStorage);
  const recorder = new BuildRecorder(journal, trace, history.cursor);
  const sender = new TraceSender({
    trace,
    destination: owner.destination,
    clock: engine.clock,
    initialIntervalMs: owner.runner.embedded.traceUpdateIntervalMs ?? 3_000,
    hasDynamicForceSendInterval: owner.runner.featureFlags['FF_USE_DYNAMIC_TRACE_FORCE_SEND_INTERVAL'] === true,
    ...forceSendOption(owner.runner.embedded),
    sentBytes: 0,
    beforeSend: () => guarded(failOnStorage, () => recorder.checkpoint()),
    onCancel: () => signals.cancel(),
    onAbort: () => signals.stopJob('aborted', 'canceled'),
  });
  return {
    trace,
    recorder,
    sender,
    signals,
    supportedFailureReasons: plan?.supportedFailureReasons ?? owner.payload?.features.failure_reasons ?? [],
    fatalProblem: () => fatal,
  };
}

async function openOrRestore(
  options: JobTraceOptions,
  history: BuildHistory,
  onDamage: (error: StorageError) => void,
): Promise<JobTrace> {
  if (history.trace === undefined) return await createJobTrace(options);
  try {
    return await restoreJobTrace(options, history.trace);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    onDamage(error);
    return await createJobTrace(options);
  }
}

function guarded(onStorageError: (error: unknown) => void, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    onStorageError(error);
  }
}

function settingsOf(plan: BuildPlan) {
  return {
    masking: plan.masking,
    sections: plan.trace.sections,
    timestamps: plan.trace.timestamps,
    outputLimitBytes: plan.trace.outputLimitBytes,
    outputMark: plan.script.outputMark,
  };
}

/** A job that cannot be planned still gets a trace that says why; its secrets are masked as far as the payload tells. */
function settingsWithoutPlan(owner: TraceOwner) {
  const { payload, runner } = owner;
  const masked = payload?.variables.filter((variable) => variable.masked) ?? [];
  return {
    masking: {
      phrases: masked.map((variable) => variable.value),
      tokenPrefixes: payload?.features.token_mask_prefixes ?? [],
    },
    sections: payload?.features.trace_sections ?? false,
    timestamps: true,
    outputLimitBytes: runner.outputLimitBytes,
    outputMark: '',
  };
}

function forceSendOption({ signOfLifeIntervalMs }: RunnerConfig['embedded']): {
  readonly shortestForceSendMs?: number;
} {
  return signOfLifeIntervalMs === undefined ? {} : { shortestForceSendMs: signOfLifeIntervalMs };
}
