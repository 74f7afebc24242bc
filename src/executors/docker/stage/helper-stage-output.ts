import type { ExitStatus, OutputStream, StageIo } from '../../port.ts';
import { cursorValue, type LogOffsets, type OutputPiece } from './container-output.ts';
import { MarkReader } from './stage-marks.ts';

export interface StageOutputOptions {
  readonly mark: string;
  /** The stage's name in the marks. */
  readonly stage: string;
  readonly io: StageIo;
  /** Where the log stood before the stage. */
  readonly base: LogOffsets;
  /** Up to where output was delivered already. */
  readonly delivered: LogOffsets;
}

type PerStream<T> = Record<OutputStream, T>;

/** One stage's part of the helper's output: passed on between its two marks, on both streams. */
export class StageOutput {
  readonly base: LogOffsets;
  readonly stage: string;
  readonly #io: StageIo;
  readonly #mark: string;
  #delivered: LogOffsets;
  #readers!: PerStream<MarkReader>;
  #hasBegun!: PerStream<boolean>;
  #code!: PerStream<number | undefined>;
  #position: LogOffsets;
  /** The caller did not take output: that error is passed on. */
  refused = false;

  constructor({ mark, stage, io, base, delivered }: StageOutputOptions) {
    this.base = base;
    this.stage = stage;
    this.#io = io;
    this.#mark = mark;
    this.#delivered = delivered;
    this.#position = base;
    this.restart();
  }

  /** Reading begins again at `base`; what was delivered is not delivered again. */
  restart(): void {
    this.#readers = { stdout: new MarkReader(this.#mark), stderr: new MarkReader(this.#mark) };
    this.#hasBegun = { stdout: false, stderr: false };
    this.#code = { stdout: undefined, stderr: undefined };
    this.#position = this.base;
  }

  /** Up to where the log was read. */
  get position(): LogOffsets {
    return this.#position;
  }

  /** How the stage ended, once both streams say so. */
  exit(): ExitStatus | undefined {
    const { stdout, stderr } = this.#code;
    if (stdout === undefined || stderr === undefined) return undefined;
    return { code: stdout, text: `exit code ${stdout}` };
  }

  /** Looks for the stage's first mark, delivering nothing. */
  hasBegunWith({ stream, bytes, endsAt }: OutputPiece): boolean {
    return this.#readers[stream]
      .take(bytes, endsAt)
      .some((part) => part.type === 'mark' && part.mark.stage === this.stage);
  }

  /** @throws what the caller's `write` throws; `refused` is set then. */
  async take({ stream, bytes, endsAt }: OutputPiece): Promise<void> {
    for (const part of this.#readers[stream].take(bytes, endsAt)) {
      if (part.type === 'output') await this.#deliver(stream, part.bytes, part.endsAt);
      else if (part.mark.stage === this.stage) {
        if (part.mark.kind === 'begin') this.#hasBegun[stream] = true;
        else this.#code[stream] = part.mark.code;
      }
    }
    this.#position = { ...this.#position, [stream]: endsAt };
  }

  async #deliver(stream: OutputStream, bytes: Buffer, endsAt: number): Promise<void> {
    if (!this.#hasBegun[stream] || this.#code[stream] !== undefined) return;
    const missing = endsAt - this.#delivered[stream];
    if (missing <= 0) return;
    this.#delivered = { ...this.#delivered, [stream]: endsAt };
    try {
      await this.#io.write(
        stream,
        missing < bytes.length ? bytes.subarray(-missing) : bytes,
        cursorValue(this.#delivered),
      );
    } catch (error) {
      this.refused = true;
      throw error;
    }
  }
}
