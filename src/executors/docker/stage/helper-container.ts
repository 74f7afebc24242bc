import { setTimeout as sleep } from 'node:timers/promises';
import { AbortReason, abortReasonOf, onceAborted } from '../../../lib/abort.ts';
import { EnvironmentLostError, errorMessage } from '../../../lib/errors.ts';
import type { JsonValue } from '../../../lib/json.ts';
import { randomHex } from '../../../platform/random.ts';
import type { ExitStatus, StageCommand, StageIo } from '../../port.ts';
import type { ContainerStream, DockerClient } from '../api/docker-client.ts';
import {
  attachedOutput,
  type LogOffsets,
  loggedOutput,
  type OutputPiece,
  parseCursor,
  startOfLog,
} from './container-output.ts';
import { helperOrder } from './container-scripts.ts';
import { reachDaemon, retryMs } from './daemon-patience.ts';
import { type EndingTimes, signalAll } from './end-container.ts';
import { StageOutput } from './helper-stage-output.ts';
import { parseStageHandle, stageHandleValue } from './stage-handle.ts';

export interface HelperContainerParts {
  readonly client: DockerClient;
  readonly name: string;
  /** Begins the marks of its loop. */
  readonly mark: string;
  readonly times: EndingTimes;
  /** Makes the container; called when there is none. */
  readonly create: (signal: AbortSignal) => Promise<void>;
  readonly warn: (text: string) => void;
}

interface Connection {
  readonly stream: ContainerStream;
  readonly pieces: AsyncGenerator<OutputPiece>;
  readonly close: () => void;
}

/**
 * The helper's container: started once, its stages are given to the loop that is its command. Output and ends of the
 * stages are in the daemon's log, so a stage is found again when the connection or the manager was lost.
 */
export class HelperContainer {
  readonly #parts: HelperContainerParts;
  #exists: boolean;
  #connection: Connection | undefined;
  /** Where the log stands; undefined = not known any more. */
  #offsets: LogOffsets | undefined;
  #starting: Promise<void> | undefined;

  /** @param state what an earlier manager left, or that nothing was made yet */
  constructor(parts: HelperContainerParts, state: 'absent' | 'taken_up') {
    this.#parts = parts;
    this.#exists = state === 'taken_up';
    this.#offsets = this.#exists ? undefined : startOfLog;
  }

  /** Makes and starts the container where there is none. May be called again while it is under way. */
  async ensure(signal: AbortSignal): Promise<void> {
    this.#starting ??= this.#connect(signal).finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  async run(command: StageCommand, io: StageIo, signal: AbortSignal): Promise<ExitStatus> {
    if (signal.aborted) throw abortReasonOf(signal);
    await this.ensure(signal);
    const { name, mark } = this.#parts;
    const offsets = this.#offsets ?? startOfLog;
    const stage = randomHex(4);
    io.recordStage(stageHandleValue({ container: name, offsets, startedBefore: '', stage }));
    const output = new StageOutput({ mark, stage, io, base: offsets, delivered: offsets });
    return await this.#seeToEnd(this.#perform(command, output), output, signal);
  }

  async resume(handleValue: JsonValue, io: StageIo, signal: AbortSignal): Promise<ExitStatus | 'not_started'> {
    if (handleValue === null) return 'not_started';
    const { offsets, stage } = parseStageHandle(handleValue);
    const { mark, name, client } = this.#parts;
    const info = await reachDaemon(
      () => client.inspectContainer(name, signal),
      () => {},
      signal,
    );
    if (info === undefined) throw this.#lost('does not exist any more');
    const base = new StageOutput({ mark, stage, io, base: offsets, delivered: parseCursor(io.cursor) ?? offsets });
    if (!(await this.#hasBegun(base, signal))) {
      // An order that is still on its way finds nobody who takes it.
      await this.#discard();
      return 'not_started';
    }
    return await this.#seeToEnd(this.#followLog(base), base, signal);
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    if (this.#connection !== undefined) return;
    const { client, name, create } = this.#parts;
    if (!this.#exists) {
      await create(signal);
      this.#exists = true;
      this.#offsets = startOfLog;
    } else if (this.#offsets === undefined) {
      this.#offsets = await this.#measureLog(signal);
    }
    const streams = new AbortController();
    const options = { stdin: true, stdout: true, stderr: true };
    const stream = await client.attachContainer(name, options, streams.signal);
    await client.startContainer(name, signal);
    this.#connection = {
      stream,
      pieces: attachedOutput(stream, this.#offsets ?? startOfLog),
      close: () => streams.abort(new AbortReason('finished')),
    };
  }

  async #perform({ script }: StageCommand, output: StageOutput): Promise<ExitStatus> {
    const connection = this.#connection;
    if (connection === undefined) throw this.#lost('is not connected');
    try {
      // The loop reads the script before it writes anything, so this cannot block on output.
      await connection.stream.write(helperOrder(output.stage, script));
      for (;;) {
        const { value, done } = await connection.pieces.next();
        if (done === true) break;
        await output.take(value);
        this.#offsets = output.position;
        const exit = output.exit();
        if (exit !== undefined) return exit;
      }
    } catch (error) {
      if (output.refused) throw error;
    }
    this.close();
    return await this.#followLog(output);
  }

  async #followLog(output: StageOutput): Promise<ExitStatus> {
    const { client, name } = this.#parts;
    const reading = new AbortController();
    try {
      for (;;) {
        const info = await reachDaemon(
          () => client.inspectContainer(name, reading.signal),
          () => {},
          reading.signal,
        );
        if (info === undefined) throw this.#lost('does not exist any more');
        const isRunning = info.State.Running;
        const exit = await this.#readLog(output, isRunning, reading.signal);
        if (exit !== undefined) return exit;
        if (!isRunning) throw this.#lost(info.State.OOMKilled ? 'ran out of memory' : 'was stopped');
        await sleep(retryMs);
      }
    } finally {
      reading.abort(new AbortReason('finished'));
    }
  }

  /** Reads the log from the stage's beginning; undefined = it holds no end of the stage. */
  async #readLog(output: StageOutput, follow: boolean, signal: AbortSignal): Promise<ExitStatus | undefined> {
    output.restart();
    try {
      const frames = await this.#parts.client.containerLogs(this.#parts.name, { follow }, signal);
      for await (const piece of loggedOutput(frames, output.base)) {
        await output.take(piece);
        this.#offsets = output.position;
        const exit = output.exit();
        if (exit !== undefined) return exit;
      }
    } catch (error) {
      if (output.refused) throw error;
    }
    return undefined;
  }

  async #hasBegun(output: StageOutput, signal: AbortSignal): Promise<boolean> {
    const frames = await this.#parts.client.containerLogs(this.#parts.name, { follow: false }, signal);
    for await (const piece of loggedOutput(frames, output.base)) {
      if (output.hasBegunWith(piece)) return true;
    }
    return false;
  }

  async #seeToEnd(working: Promise<ExitStatus>, output: StageOutput, signal: AbortSignal): Promise<ExitStatus> {
    const aborted = onceAborted(signal);
    try {
      return await Promise.race([working, aborted.promise]);
    } catch (error) {
      await this.#endStage(working, output);
      throw error;
    } finally {
      aborted.dispose();
    }
  }

  /** The loop goes on where the stage's processes let themselves be ended, else the container goes. */
  async #endStage(working: Promise<ExitStatus>, output: StageOutput): Promise<void> {
    const { client, name, times } = this.#parts;
    const over = working.then(
      () => true,
      () => false,
    );
    if (!output.refused) {
      const limit = AbortSignal.timeout((times.graceSeconds + 5) * 1000);
      for (const [signalName, patienceMs] of [
        ['TERM', times.graceSeconds * 1000],
        ['KILL', 2000],
      ] as const) {
        await signalAll(client, name, signalName, limit).catch(() => {});
        const hasEnded = await Promise.race([over, sleep(patienceMs, undefined, { ref: false })]);
        if (hasEnded === true) return;
        if (hasEnded === false) break;
      }
    }
    await this.#discard();
  }

  async #measureLog(signal: AbortSignal): Promise<LogOffsets> {
    const offsets = { ...startOfLog };
    const frames = await this.#parts.client.containerLogs(this.#parts.name, { follow: false }, signal);
    for await (const { stream, bytes } of frames) offsets[stream] += bytes.length;
    return offsets;
  }

  #lost(what: string): EnvironmentLostError {
    this.close();
    this.#exists = false;
    return new EnvironmentLostError(`the helper container of the job ${what}`, {
      details: { container: this.#parts.name },
    });
  }

  async #discard(): Promise<void> {
    this.close();
    this.#exists = false;
    const limit = AbortSignal.timeout(this.#parts.times.removalMs);
    await this.#parts.client.removeContainer(this.#parts.name, { volumes: true }, limit).catch((error: unknown) => {
      this.#parts.warn(`Failed to remove container ${this.#parts.name}: ${errorMessage(error)}`);
    });
  }
}
