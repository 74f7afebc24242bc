import { AbortReason } from '../lib/abort.ts';
import { ExternalDependencyError, errorMessage, MillraceError, StorageError } from '../lib/errors.ts';
import { writeBody } from './copy-body.ts';
import { isWhole, type Piece, planPieces, remainder } from './pieces.ts';
import type { OpenRemote, RemoteBytes } from './remote-bytes.ts';

/** Where downloaded bytes go. */
export interface DownloadTarget {
  readonly path: string;
  /** Writes pieces one behind the other from a position on. */
  writeAllAt(position: number, data: readonly Uint8Array[]): Promise<void>;
  /** Throws away what was written. */
  truncate(): Promise<void>;
}

export interface DownloadSettings {
  /** Size of the pieces that are fetched at the same time. */
  readonly chunkBytes: number;
  /** 1 = one piece. */
  readonly concurrency: number;
  /** Bytes gathered before they are written, for each piece. */
  readonly bufferBytes: number;
  /** A body that brings nothing for this long is given up. */
  readonly stallMs: number;
  /** Told of bytes that were written; a negative number takes back. */
  readonly onBytes: (count: number) => void;
}

/** What is there is not of the object that the server has now: the download has to begin anew. */
export class RemoteChangedError extends ExternalDependencyError {
  constructor() {
    super('the file changed on the server while it was downloaded', { retryable: true });
  }
}

/**
 * A download that goes on where an earlier try of it stopped. Parts are only ever put together when all of them are
 * of the same object: same validator, same size. Memory: `concurrency` × `bufferBytes` and what sockets hold.
 */
export class RemoteDownload {
  readonly #target: DownloadTarget;
  readonly #settings: DownloadSettings;
  #pieces: Piece[] = [];
  #totalBytes: number | undefined;
  #validator = '';

  constructor(target: DownloadTarget, settings: DownloadSettings) {
    this.#target = target;
    this.#settings = settings;
  }

  /** Whether bytes are there that another try can add to. */
  get canResume(): boolean {
    return this.#validator !== '' && this.#pieces.some(({ done }) => done > 0);
  }

  get doneBytes(): number {
    return this.#pieces.reduce((sum, { done }) => sum + done, 0);
  }

  /**
   * Takes an object from its first answer on: the rest of it is asked for in pieces where that answer is a part.
   * What was there of another object is thrown away; of the same object it is kept.
   * @throws ExternalDependencyError (`retryable`) where it broke off; StorageError where it cannot be written.
   */
  async begin(first: RemoteBytes, open: OpenRemote, signal: AbortSignal): Promise<void> {
    const canSplit = first.validator !== '' && first.totalBytes !== undefined && first.start === 0;
    let answer = first;
    if (!canSplit && (first.start !== 0 || first.end !== first.totalBytes)) {
      first.discard();
      answer = await open(undefined, signal);
      if (answer.start !== 0 || answer.end !== answer.totalBytes) {
        answer.discard();
        throw new ExternalDependencyError('the server sends only a part of the file', { retryable: true });
      }
    }
    await this.#restart(answer);
    await this.#fetchAll(open, answer, signal);
  }

  /**
   * Fetches what an earlier try left out.
   * @param concurrency default: that of the settings.
   * @throws RemoteChangedError where it has to begin anew; as `begin`.
   */
  async resume(open: OpenRemote, signal: AbortSignal, concurrency = this.#settings.concurrency): Promise<void> {
    await this.#fetchAll(open, undefined, signal, concurrency);
  }

  async #restart(answer: RemoteBytes): Promise<void> {
    this.#settings.onBytes(-this.doneBytes);
    await stored(this.#target, () => this.#target.truncate());
    this.#validator = answer.validator;
    this.#totalBytes = answer.totalBytes;
    this.#pieces = planPieces(answer.end, answer.totalBytes, this.#settings.chunkBytes);
  }

  /** A failed piece does not keep the others from going on: they need not be fetched again by the next try. */
  async #fetchAll(
    open: OpenRemote,
    first: RemoteBytes | undefined,
    signal: AbortSignal,
    concurrency = this.#settings.concurrency,
  ): Promise<void> {
    const waiting = this.#pieces.filter((piece) => !isWhole(piece));
    let failure: Error | undefined;
    let failuresInARow = 0;
    const work = async (given: RemoteBytes | undefined): Promise<void> => {
      let answer = given;
      for (;;) {
        const isSpoiled = this.#pieces.length > 1 && this.#validator === '';
        const isHopeless = failure !== undefined && (!isPassing(failure) || failuresInARow > concurrency);
        const mayGoOn = !isSpoiled && !isHopeless;
        const piece = mayGoOn && !signal.aborted ? waiting.shift() : undefined;
        if (piece === undefined) return;
        try {
          await this.#fetch(piece, answer, open, signal);
          failuresInARow = 0;
        } catch (error) {
          if (failure === undefined || !isPassing(error)) failure = asError(error);
          failuresInARow += 1;
        }
        answer = undefined;
      }
    };
    const workers = Math.max(1, Math.min(concurrency, waiting.length));
    await Promise.all(Array.from({ length: workers }, (_, index) => work(index === 0 ? first : undefined)));
    signal.throwIfAborted();
    if (failure !== undefined) throw failure;
  }

  async #fetch(piece: Piece, given: RemoteBytes | undefined, open: OpenRemote, signal: AbortSignal): Promise<void> {
    if (given !== undefined) {
      await this.#copy(given, piece, signal);
      return;
    }
    const isOnlyOne = this.#pieces.length === 1;
    const answer = await open({ ...remainder(piece, isOnlyOne), validator: this.#validator }, signal);
    const isSame = answer.validator === this.#validator && answer.totalBytes === this.#totalBytes;
    if (isSame && answer.start === piece.start + piece.done) {
      await this.#copy(answer, piece, signal);
      return;
    }
    if (isSame && isOnlyOne && answer.start === 0 && answer.end === answer.totalBytes) {
      // A server that sends no parts.
      await this.#restart(answer);
      const [whole = piece] = this.#pieces;
      await this.#copy(answer, whole, signal);
      return;
    }
    answer.discard();
    // What is there must not be added to: the next try begins anew.
    this.#validator = '';
    throw new RemoteChangedError();
  }

  async #copy(answer: RemoteBytes, piece: Piece, signal: AbortSignal): Promise<void> {
    const { bufferBytes, stallMs, onBytes } = this.#settings;
    try {
      await writeBody(answer.body, { bufferBytes, stallMs }, async (data, bytes) => {
        if (piece.end !== undefined && piece.start + piece.done + bytes > piece.end) throw tooMuch();
        const position = piece.start + piece.done;
        await stored(this.#target, () => this.#target.writeAllAt(position, data));
        piece.done += bytes;
        onBytes(bytes);
      });
    } catch (error) {
      answer.discard();
      signal.throwIfAborted();
      if (error instanceof AbortReason || (error instanceof MillraceError && !isTransport(error))) throw error;
      throw brokeOff(error);
    }
    if (piece.end === undefined) piece.end = piece.start + piece.done;
    else if (!isWhole(piece)) throw brokeOff(new Error('it ended too early'));
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isTransport(error: MillraceError): boolean {
  return error.code === 'api_error';
}

function brokeOff(cause: unknown): ExternalDependencyError {
  return new ExternalDependencyError(`the download broke off: ${errorMessage(cause)}`, { cause, retryable: true });
}

function tooMuch(): ExternalDependencyError {
  return new ExternalDependencyError('the server sent more than the part that was asked for', { retryable: true });
}

/** Whether other pieces may still succeed. */
function isPassing(error: unknown): boolean {
  return error instanceof MillraceError && error.retryable;
}

async function stored(target: DownloadTarget, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new StorageError(`cannot write ${target.path}: ${errorMessage(error)}`, { cause: error });
  }
}
