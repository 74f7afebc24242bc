import { Duplex } from 'node:stream';
import { AbortReason } from '../lib/abort.ts';
import { errorMessage } from '../lib/errors.ts';
import { type Command, type RunningCommand, startCommand } from './run-command.ts';

/**
 * Standard input and output of a process as one connection: what `ssh host docker system dial-stdio` gives.
 * Destroying it ends the process and its children. A process that fails breaks the connection with its last words.
 */
export class CommandStream extends Duplex {
  readonly #process: RunningCommand;
  readonly #end = new AbortController();

  constructor(command: Command) {
    super({ allowHalfOpen: true });
    this.#process = startCommand(command, this.#end.signal);
    const { stdout } = this.#process;
    stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    void this.#follow();
  }

  async #follow(): Promise<void> {
    try {
      const { exitCode, signal, stderr } = await this.#process.ended;
      if (exitCode === 0) this.push(null);
      else this.destroy(new Error(`exit ${exitCode ?? signal ?? 'unknown'}: ${lastLines(stderr)}`));
    } catch (error) {
      this.destroy(error instanceof AbortReason ? undefined : new Error(errorMessage(error)));
    }
  }

  override _read(): void {
    this.#process.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#process.stdin.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#process.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end.abort(new AbortReason('finished'));
    done(error);
  }

  /** A connection pool calls these on sockets; a process has no such settings. */
  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ').slice(-500);
}
