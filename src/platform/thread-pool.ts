import type { TransferListItem, Worker } from 'node:worker_threads';

/** What a thread answers: the result of a task, or why there is none. */
export type ThreadAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: ThreadFailure };

export interface ThreadFailure {
  readonly message: string;
  /** `name` of the error. */
  readonly name: string;
  /** The system's error code, where it has one. */
  readonly code: string | undefined;
}

export interface ThreadTask {
  readonly id: number;
  readonly task: unknown;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/**
 * Threads that take tasks: each task goes to the thread with the least to do, and a thread does its tasks in order.
 * How many tasks wait is for the caller to bound.
 */
export class ThreadPool {
  readonly #threads: readonly Thread[];
  readonly #toError: (failure: ThreadFailure) => Error;
  #nextId = 1;
  #broken: Error | undefined;

  /** @param start starts one thread, which answers each `ThreadTask` with a `ThreadAnswer`. */
  constructor(size: number, start: () => Worker, toError: (failure: ThreadFailure) => Error) {
    this.#toError = toError;
    this.#threads = Array.from({ length: size }, () => {
      const thread: Thread = { worker: start(), waiting: new Map() };
      thread.worker.on('message', (answer: ThreadAnswer) => this.#take(thread, answer));
      thread.worker.on('error', (error) => this.#break(error instanceof Error ? error : new Error(String(error))));
      thread.worker.on('exit', (code) => this.#break(new Error(`a thread ended with ${code}`)));
      // Only waiting for an answer keeps the process alive, not the thread itself.
      thread.worker.unref();
      return thread;
    });
  }

  /** @throws the error of the task, as `toError` makes it. */
  async run(task: unknown, transfer: readonly TransferListItem[] = []): Promise<unknown> {
    if (this.#broken !== undefined) throw this.#broken;
    const thread = this.#threads.reduce((best, other) => (other.waiting.size < best.waiting.size ? other : best));
    const id = this.#nextId;
    this.#nextId += 1;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    thread.waiting.set(id, { resolve, reject });
    if (thread.waiting.size === 1) thread.worker.ref();
    const message: ThreadTask = { id, task };
    thread.worker.postMessage(message, transfer);
    return await promise;
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    this.#break(new Error('the threads were ended'));
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #take(thread: Thread, answer: ThreadAnswer): void {
    const waiting = thread.waiting.get(answer.id);
    thread.waiting.delete(answer.id);
    if (thread.waiting.size === 0) thread.worker.unref();
    if ('failure' in answer) waiting?.reject(this.#toError(answer.failure));
    else waiting?.resolve(answer.result);
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const { waiting } of this.#threads) {
      for (const { reject } of waiting.values()) reject(this.#broken);
      waiting.clear();
    }
  }
}
