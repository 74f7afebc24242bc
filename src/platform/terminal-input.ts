import { createInterface } from 'node:readline';

/** The person in front of the terminal. Lines are edited and shown by the terminal itself. */
export interface TerminalInput {
  /** The next line without its end; undefined = there is no more input. @throws the signal's reason. */
  readLine(signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

/** @returns undefined where standard input is no terminal. */
export function openTerminalInput(): TerminalInput | undefined {
  const { stdin } = process;
  if (!stdin.isTTY) return undefined;
  const lines = createInterface({ input: stdin, terminal: false });
  const waiting: string[] = [];
  const state = { isOver: false };
  let wake = (): void => {};
  lines.on('line', (line) => {
    waiting.push(line);
    wake();
  });
  lines.on('close', () => {
    state.isOver = true;
    wake();
  });
  return {
    readLine: async (signal) => {
      const abort = (): void => wake();
      signal.addEventListener('abort', abort, { once: true });
      try {
        while (waiting.length === 0 && !state.isOver && !signal.aborted) {
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          await promise;
        }
      } finally {
        signal.removeEventListener('abort', abort);
      }
      signal.throwIfAborted();
      return waiting.shift();
    },
    close: () => {
      lines.close();
      stdin.destroy();
    },
  };
}
