import { setTimeout as sleep } from 'node:timers/promises';
import { AbortReason, abortReasonOf, onceAborted } from '../../../lib/abort.ts';
import { EnvironmentLostError, errorMessage, PrepareError } from '../../../lib/errors.ts';
import type { JsonValue } from '../../../lib/json.ts';
import type { ShellName } from '../../../plan/executor-traits.ts';
import type { ExitStatus, StageCommand, StageIo } from '../../port.ts';
import type { ContainerInfo } from '../api/answers.ts';
import type { ContainerStream, DockerClient } from '../api/docker-client.ts';
import {
  attachedOutput,
  cursorValue,
  type LogOffsets,
  loggedOutput,
  type OutputPiece,
  parseCursor,
  startOfLog,
} from './container-output.ts';
import { buildFiles, buildInput } from './container-scripts.ts';
import { reachDaemon, retryMs } from './daemon-patience.ts';
import { type EndingTimes, endContainer } from './end-container.ts';
import { wasKilledFromOutside } from './killed-from-outside.ts';
import { parseStageHandle, stageHandleValue } from './stage-handle.ts';
import { tarOf } from './tar.ts';

export interface BuildContainerParts {
  readonly client: DockerClient;
  readonly name: string;
  readonly shell: ShellName;
  readonly times: EndingTimes;
  /** FF_USE_NATIVE_CONTAINER_STOP: only the container's first process is told to end. */
  readonly nativeStop: boolean;
  /** Makes the container; called when there is none. */
  readonly create: (signal: AbortSignal) => Promise<void>;
  readonly warn: (text: string) => void;
}

/** How long the end of a container is waited for once its output has ended. */
const endPatienceMs = 1000;

/**
 * The user's container. Every stage is a start of it, with the stage's script as its command: an entrypoint has its
 * effect on each, and nothing of one stage runs on into the next. Its output is in the daemon's log, its exit status in
 * its state: neither needs a living manager.
 */
export class BuildContainer {
  readonly #parts: BuildContainerParts;
  #exists: boolean;
  /** Where the log stands; undefined = not known any more. */
  #offsets: LogOffsets | undefined;
  #hasStarted: boolean;

  /** @param state what an earlier manager left, or that nothing was made yet */
  constructor(parts: BuildContainerParts, state: 'absent' | 'taken_up') {
    this.#parts = parts;
    this.#exists = state === 'taken_up';
    this.#hasStarted = this.#exists;
    this.#offsets = this.#exists ? undefined : startOfLog;
  }

  /** Makes the container where there is none. */
  async ensure(signal: AbortSignal): Promise<void> {
    if (this.#exists) return;
    await this.#parts.create(signal);
    this.#exists = true;
    this.#hasStarted = false;
    this.#offsets = startOfLog;
  }

  async run(command: StageCommand, io: StageIo, signal: AbortSignal): Promise<ExitStatus> {
    if (signal.aborted) throw abortReasonOf(signal);
    const { client, name } = this.#parts;
    await this.ensure(signal);
    const offsets = this.#offsets ?? (await this.#measureLog(signal));
    const startedBefore = this.#hasStarted ? ((await this.#inspect(signal))?.State.StartedAt ?? '') : '';
    // Streams outlive the stage's signal: after an abort the last output is still taken.
    const streams = new AbortController();
    let started: StartedStage | undefined;
    try {
      started = await this.#prepareStart(command, streams.signal);
      io.recordStage(stageHandleValue({ container: name, offsets, startedBefore, stage: '' }));
      if (signal.aborted) throw abortReasonOf(signal);
      this.#hasStarted = true;
      await client.startContainer(name, signal).catch((error: unknown) => {
        throw startProblem(error);
      });
      return await this.#seeToEnd(this.#followAttached(started, offsets, io, streams.signal), signal);
    } catch (error) {
      if (started !== undefined) await this.#discard();
      throw error;
    } finally {
      streams.abort(new AbortReason('finished'));
    }
  }

  async resume(handleValue: JsonValue, io: StageIo, signal: AbortSignal): Promise<ExitStatus | 'not_started'> {
    if (handleValue === null) return 'not_started';
    const handle = parseStageHandle(handleValue);
    const info = await this.#inspect(signal);
    if (info === undefined) throw this.#gone();
    const hasStarted = info.State.StartedAt !== handle.startedBefore && info.State.Status !== 'created';
    if (!hasStarted) {
      // A start that is still on its way finds nothing to start.
      if (info.State.Status === 'created') await this.#discard();
      return 'not_started';
    }
    const streams = new AbortController();
    try {
      const from = parseCursor(io.cursor) ?? handle.offsets;
      return await this.#seeToEnd(this.#followLog({ offsets: from, io, wasLost: false }, streams.signal), signal);
    } catch (error) {
      await this.#discard();
      throw error;
    } finally {
      streams.abort(new AbortReason('finished'));
    }
  }

  /** Forgets a container that is gone or was removed by others. */
  forget(): void {
    this.#exists = false;
  }

  async #prepareStart({ script }: StageCommand, signal: AbortSignal): Promise<StartedStage> {
    const { client, name, shell } = this.#parts;
    const files = buildFiles(shell, script).map(({ path, content }) => ({ path, content, mode: 0o644 }));
    const accepted = Promise.withResolvers<void>();
    const ended = client
      .waitContainer(name, { condition: 'next-exit', accepted: accepted.resolve }, signal)
      .then(({ exitCode }): number | undefined => exitCode)
      .catch(() => {
        accepted.resolve();
        return undefined;
      });
    const [stream] = await Promise.all([
      client.attachContainer(name, { stdin: true, stdout: true, stderr: true }, signal),
      client.putArchive(name, '/', tarOf(files), signal),
      accepted.promise,
    ]);
    await stream.write(buildInput);
    stream.endInput();
    return { stream, ended };
  }

  /** Waits for a stage; on an abort, or when its output cannot be taken, ends the container first. */
  async #seeToEnd(following: Promise<ExitStatus>, signal: AbortSignal): Promise<ExitStatus> {
    const aborted = onceAborted(signal);
    try {
      return await Promise.race([following, aborted.promise]);
    } catch (error) {
      following.catch(() => {});
      await endContainer({ ...this.#parts, following });
      throw error;
    } finally {
      aborted.dispose();
    }
  }

  /** @param signal outlives the stage's own, see `run`. */
  async #followAttached(
    started: StartedStage,
    offsets: LogOffsets,
    io: StageIo,
    signal: AbortSignal,
  ): Promise<ExitStatus> {
    const follow: Following = { offsets, io, wasLost: false };
    const isWhole = await takeOutput(attachedOutput(started.stream, offsets), follow);
    this.#offsets = follow.offsets;
    if (isWhole) {
      const exitCode = await Promise.race([started.ended, sleep(endPatienceMs, undefined, { ref: false })]);
      if (exitCode !== undefined) return await this.#exitStatus(exitCode, follow, signal);
    }
    return await this.#followLog({ ...follow, wasLost: true }, signal);
  }

  /** Follows what the daemon has written down of the output, as often as the connection is lost. */
  async #followLog(follow: Following, signal: AbortSignal): Promise<ExitStatus> {
    const { client, name } = this.#parts;
    const current = { ...follow };
    for (;;) {
      const info = await reachDaemon(
        () => client.inspectContainer(name, signal),
        () => {
          current.wasLost = true;
        },
        signal,
      );
      if (info === undefined) throw this.#gone();
      const isRunning = info.State.Running;
      const frames = await client.containerLogs(name, { follow: isRunning }, signal).catch(() => undefined);
      const isWhole = frames !== undefined && (await takeOutput(loggedOutput(frames, current.offsets), current));
      this.#offsets = current.offsets;
      if (!isRunning && isWhole) return await this.#exitStatus(info.State.ExitCode, current, signal);
      if (frames === undefined) await sleep(retryMs);
    }
  }

  async #exitStatus(code: number, { wasLost }: Following, signal: AbortSignal): Promise<ExitStatus> {
    const { client, warn } = this.#parts;
    if (code === 137 || code === 143 || (wasLost && code > 128)) {
      const info = await this.#inspect(signal);
      if (info === undefined) throw this.#gone();
      if (info.State.OOMKilled) warn('The container ran out of memory: a process of it was killed.');
      else if (wasLost || (await wasKilledFromOutside(client, info))) throw this.#killed(code, wasLost);
    }
    return { code: code | 0, text: `exit code ${code | 0}` };
  }

  #killed(code: number, wasLost: boolean): EnvironmentLostError {
    return new EnvironmentLostError(
      wasLost
        ? `the Docker daemon was gone for a while, and the container of the job was killed (exit code ${code})`
        : `the container of the job was killed from outside (exit code ${code})`,
      { details: { container: this.#parts.name } },
    );
  }

  #gone(): EnvironmentLostError {
    this.#exists = false;
    return new EnvironmentLostError(`the container of the job does not exist any more`, {
      details: { container: this.#parts.name },
      hint: 'Somebody removed it while the job ran.',
    });
  }

  async #measureLog(signal: AbortSignal): Promise<LogOffsets> {
    const offsets = { ...startOfLog };
    const frames = await this.#parts.client.containerLogs(this.#parts.name, { follow: false }, signal);
    for await (const { stream, bytes } of frames) offsets[stream] += bytes.length;
    return offsets;
  }

  async #inspect(signal: AbortSignal): Promise<ContainerInfo | undefined> {
    return await reachDaemon(
      () => this.#parts.client.inspectContainer(this.#parts.name, signal),
      () => {},
      signal,
    );
  }

  /** A stage that was stopped or lost must not run on; a later stage gets a new container. */
  async #discard(): Promise<void> {
    this.#exists = false;
    const limit = AbortSignal.timeout(this.#parts.times.removalMs);
    await this.#parts.client.removeContainer(this.#parts.name, { volumes: true }, limit).catch((error: unknown) => {
      this.#parts.warn(`Failed to remove container ${this.#parts.name}: ${errorMessage(error)}`);
    });
  }
}

interface StartedStage {
  readonly stream: ContainerStream;
  /** Exit code; undefined = the connection was lost. */
  readonly ended: Promise<number | undefined>;
}

interface Following {
  offsets: LogOffsets;
  readonly io: StageIo;
  /** The daemon was away in the meantime. */
  wasLost: boolean;
}

/**
 * Passes output on.
 * @returns false when the connection was lost before the output's end.
 * @throws what the caller's `write` throws.
 */
async function takeOutput(pieces: AsyncGenerator<OutputPiece>, follow: Following): Promise<boolean> {
  let refusal: { readonly error: unknown } | undefined;
  try {
    for await (const { stream, bytes, endsAt } of pieces) {
      follow.offsets = { ...follow.offsets, [stream]: endsAt };
      try {
        await follow.io.write(stream, bytes, cursorValue(follow.offsets));
      } catch (error) {
        refusal = { error };
        throw error;
      }
    }
    return true;
  } catch {
    if (refusal !== undefined) throw refusal.error;
    return false;
  }
}

/** A container that cannot even be started is no script that failed. */
function startProblem(error: unknown): unknown {
  const message = errorMessage(error);
  if (/executable file not found|no such file or directory|exec format error/i.test(message)) {
    return new PrepareError(`the container of the job cannot be started: ${message}`, {
      cause: error,
      hint: 'The image needs a shell (sh) that runs on this machine.',
    });
  }
  return error;
}
