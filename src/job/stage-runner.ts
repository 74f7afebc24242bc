import { join } from 'node:path';
import type { Executor, ExitStatus, OutputStream, StageIo } from '../executors/port.ts';
import type { StageEnd } from '../journal/records.ts';
import { abortReasonOf } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { makePrivateFolder, removeTreeAsync } from '../platform/private-folder.ts';
import { isPlainFileWork } from '../script/plain-file-work.ts';
import { generateScript } from '../shells/generate-script.ts';
import type { JobTrace } from '../trace/port.ts';
import type { BuildRecorder } from './build-recorder.ts';
import { problemOf } from './build-result.ts';
import { comingStages, stageHint } from './coming-stages.ts';
import type { BuildHistory, RecordedStage } from './history.ts';
import { doLocalFileWork, type LocalWorkResult } from './local-file-work.ts';

export interface StageRunnerParts {
  readonly plan: BuildPlan;
  readonly folder: string;
  readonly history: BuildHistory;
  readonly recorder: BuildRecorder;
  readonly trace: JobTrace;
  readonly clock: Clock;
  /** Puts into a stage what is only known, or only made, when its turn comes. @throws the signal's reason */
  readonly completeStage: (stage: StagePlan, signal: AbortSignal) => Promise<StagePlan>;
  /** Called when a stage's output has come into the trace. */
  readonly onOutput: () => void;
  /** Called when the first stage that an earlier manager did not finish has its turn. */
  readonly onReplayed: () => void;
}

/** Output of an ended stage that may lie on the disk until the job is over. */
const mostKeptBytes = 256 * 1024;

const timeoutHint =
  'could not run to completion because the timeout was exceeded. For more control over job and script timeouts see: ' +
  'https://docs.gitlab.com/ci/runners/configure_runners/#set-script-and-after_script-timeouts';

/**
 * Runs the stages of one build, one at a time. Stages that an earlier manager ended are not run again: their recorded
 * end is given back, so that the flow above takes the same way; the one it had started is followed to its end.
 */
export class StageRunner {
  readonly #parts: StageRunnerParts;
  readonly #executor: Executor;
  #nextRun = 0;
  #isReplayed = false;
  readonly #ended = new Set<string>();

  constructor(parts: StageRunnerParts, executor: Executor) {
    this.#parts = parts;
    this.#executor = executor;
    this.#passVoidRuns();
  }

  /** Whether a stage was run to its end, whatever that was. */
  hasEnded(stage: StagePlan): boolean {
    return this.#ended.has(stage.stage);
  }

  /** When the next stage started, if an earlier manager started it: phases count their time from there. */
  nextStartedAtMs(): number | undefined {
    const startedAtMs = this.#parts.history.stages.get(this.#nextRun)?.startedAtMs;
    return startedAtMs === 0 ? undefined : startedAtMs;
  }

  /** Whether the next stage was already run by an earlier manager. */
  isReplaying(): boolean {
    return this.#parts.history.stages.has(this.#nextRun);
  }

  /** Runs one stage to its end. Never throws for what the stage does. @throws StorageError */
  async run(stage: StagePlan, jobStatus: string, signal: AbortSignal): Promise<StageEnd> {
    const run = this.#takeRun();
    const recorded = this.#parts.history.stages.get(run);
    if (recorded?.end === undefined) this.#leaveReplay();
    if (recorded === undefined && signal.aborted) return problemOf(abortReasonOf(signal));
    if (stage.generationError !== undefined) return problemOf(new Error(stage.generationError));
    const { trace } = this.#parts;
    trace.startSection(stage.stage, stage.title);
    const end = recorded?.end ?? (await this.#perform(run, stage, jobStatus, recorded, signal));
    if (end.kind === 'exit') this.#ended.add(stage.stage);
    trace.endSection(stage.stage);
    if (end.kind === 'stopped' && isTimeout(end.reason)) trace.log.warning(`${stage.stage} ${timeoutHint}`);
    return end;
  }

  #takeRun(): number {
    const run = this.#nextRun++;
    this.#passVoidRuns();
    return run;
  }

  #passVoidRuns(): void {
    while (this.#parts.history.voidRuns.has(this.#nextRun)) this.#nextRun++;
  }

  #leaveReplay(): void {
    if (this.#isReplayed) return;
    this.#isReplayed = true;
    this.#parts.onReplayed();
  }

  async #perform(
    run: number,
    stage: StagePlan,
    jobStatus: string,
    recorded: RecordedStage | undefined,
    signal: AbortSignal,
  ): Promise<StageEnd> {
    if (isPlainFileWork(stage.operations) && recorded === undefined) {
      const result = await this.#doPlainWork(stage, signal);
      if (result !== undefined) return this.#recordPlainWork(run, result);
    }
    return await this.#performInShell(run, stage, jobStatus, recorded, signal);
  }

  /** Nothing of it outlives this process, so only its end is recorded; a restart does it again. */
  async #doPlainWork(stage: StagePlan, signal: AbortSignal): Promise<LocalWorkResult | StageEnd | undefined> {
    if (this.#executor.localFiles === true) return await doLocalFileWork(stage.operations);
    try {
      const stdout = await this.#executor.doPlainWork?.(stage.operations, signal);
      return stdout === undefined ? undefined : { stdout, stderr: '', code: 0 };
    } catch (error) {
      return problemOf(error, signal);
    }
  }

  #recordPlainWork(run: number, result: LocalWorkResult | StageEnd): StageEnd {
    const { trace, recorder } = this.#parts;
    if ('kind' in result) {
      recorder.endStage(run, result);
      return result;
    }
    const { stdout, stderr, code } = result;
    // From here to the record nothing may wait: a checkpoint in between would have it written twice after a restart.
    const output = trace.openStage();
    void output.write('stdout', Buffer.from(stdout));
    if (stderr !== '') void output.write('stderr', Buffer.from(stderr));
    output.close();
    const end: StageEnd = { kind: 'exit', code, text: `exit status ${code}` };
    recorder.endStage(run, end);
    return end;
  }

  async #performInShell(
    run: number,
    stage: StagePlan,
    jobStatus: string,
    recorded: RecordedStage | undefined,
    signal: AbortSignal,
  ): Promise<StageEnd> {
    const { history, recorder, trace, clock } = this.#parts;
    const folder = join(this.#parts.folder, `stage-${run}`);
    const cursor = history.cursor?.run === run ? (history.cursor.value ?? undefined) : undefined;
    makePrivateFolder(folder);
    if (recorded === undefined) {
      recorder.append({ type: 'stageStarted', run, stage: stage.stage, atMs: clock.now() });
    }
    recorder.enterStage(run, cursor);
    const output = trace.openStage();
    let outputBytes = 0;
    const io = this.#stageIo(run, folder, cursor, (stream, bytes) => {
      outputBytes += bytes.length;
      return output.write(stream, bytes);
    });
    const end = await this.#execute(stage, jobStatus, recorded, io, signal);
    output.close();
    if (end === 'not_started') {
      recorder.append({ type: 'stageVoid', run });
      if (signal.aborted) return problemOf(abortReasonOf(signal));
      return await this.#performInShell(this.#takeRun(), stage, jobStatus, undefined, signal);
    }
    recorder.endStage(run, end);
    // A folder with little in it goes with the job: nobody has to wait for that.
    if (outputBytes > mostKeptBytes) await removeTreeAsync(folder);
    return end;
  }

  async #execute(
    stage: StagePlan,
    jobStatus: string,
    recorded: RecordedStage | undefined,
    io: StageIo,
    signal: AbortSignal,
  ): Promise<StageEnd | 'not_started'> {
    const command = { stage: stage.stage, ...stageHint(stage) };
    const wasStopped = signal.aborted;
    try {
      const exit =
        recorded === undefined
          ? await this.#start(stage, jobStatus, io, signal)
          : await this.#executor.resume({ ...command, script: '' }, recorded.handle, io, signal);
      if (exit === 'not_started') return exit;
      // An earlier manager stopped it: what it exited with is fallout of that.
      if (wasStopped) return problemOf(abortReasonOf(signal));
      return { kind: 'exit', code: exit.code, text: exit.text };
    } catch (error) {
      return problemOf(error, signal);
    }
  }

  /** While nothing of the user's runs, the executor may get ready for what comes. */
  async #start(stage: StagePlan, jobStatus: string, io: StageIo, signal: AbortSignal): Promise<ExitStatus> {
    const { plan } = this.#parts;
    const hint = stageHint(stage);
    const script = generateScript(await this.#parts.completeStage(stage, signal), plan, { jobStatus });
    const exit = this.#executor.run({ stage: stage.stage, ...hint, script }, io, signal);
    if (hint.isOurs === true) this.#executor.expect?.(comingStages(plan, stage));
    return await exit;
  }

  #stageIo(
    run: number,
    directory: string,
    cursor: StageIo['cursor'],
    write: (stream: OutputStream, bytes: Uint8Array) => void | Promise<void>,
  ): StageIo {
    const { recorder, onOutput } = this.#parts;
    return {
      directory,
      cursor,
      recordStage: (handle) => recorder.append({ type: 'stageHandle', run, handle }),
      durableCursor: () => recorder.durableCursor(),
      // A snapshot holds the bytes from the call on, not from when the trace wants more.
      write: (stream, bytes, position) => {
        const wait = write(stream, bytes);
        recorder.took(bytes.length, position);
        onOutput();
        return wait;
      },
    };
  }
}

function isTimeout(reason: string): boolean {
  return reason === 'job_timeout' || reason === 'stage_timeout';
}
