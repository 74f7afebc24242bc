import { OutputLimit } from './output-limit.ts';
import type { TraceFile } from './trace-file.ts';

/** Where finished bytes of all streams go: through the limit into the file. */
export class TraceStore {
  readonly file: TraceFile;
  readonly #limit: OutputLimit;
  #isEnded = false;

  constructor(file: TraceFile, limitBytes: number, isLimitReached: boolean) {
    this.file = file;
    this.#limit = new OutputLimit(limitBytes, { sizeBytes: file.storedBytes, isReached: isLimitReached });
  }

  get isLimitReached(): boolean {
    return this.#limit.isReached;
  }

  /** Whether no output will be stored any more: then the work before it can be left out as well. */
  get isDropping(): boolean {
    return this.isDroppingLines || this.file.hasFailed;
  }

  /** Whether the manager's lines are not stored either. */
  get isDroppingLines(): boolean {
    return this.#isEnded || this.#limit.isReached;
  }

  /** Takes a copy. */
  store(bytes: Uint8Array): void {
    if (this.#isEnded || bytes.length === 0) return;
    for (const part of this.#limit.admit(bytes)) this.file.append(part);
  }

  /** As `store`, for the manager's lines: they are kept even when the file takes nothing more. */
  storeLines(bytes: Uint8Array): void {
    if (!this.file.hasFailed) this.store(bytes);
    else if (!this.isDroppingLines && bytes.length > 0) this.file.appendLastWords(bytes);
  }

  end(): void {
    this.#isEnded = true;
    this.file.flush();
  }
}
