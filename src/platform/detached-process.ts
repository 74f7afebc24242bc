import { spawn } from 'node:child_process';

export interface DetachedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
}

export interface DetachedProcess {
  readonly pid: number;
  /** Resolves when it has ended, however it ended. */
  readonly ended: Promise<void>;
  /** Whether we know that it has ended. */
  hasEnded(): boolean;
  /** Writes to its standard input and closes that. The text is on its way when the call returns: keep it short. */
  send(text: string): void;
  /** Closes its standard input. Idempotent. */
  closeInput(): void;
}

/**
 * Starts a process that outlives this one: leader of a session and group of its own. It shares nothing with us but
 * its standard input, which ends with this process.
 * @throws the system's error when it cannot be started.
 */
export async function startDetached(command: DetachedCommand): Promise<DetachedProcess> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const { pid, stdin } = child;
  // It may end before it has read what it was sent.
  stdin.on('error', () => {});
  if (pid === undefined) {
    return await new Promise((_resolve, reject) => child.once('error', reject));
  }
  let isOver = false;
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      isOver = true;
      stdin.destroy();
      resolve();
    }),
  );
  child.on('error', () => {});
  return {
    pid,
    ended,
    hasEnded: () => isOver,
    send: (text) => void stdin.end(text),
    closeInput: () => void stdin.destroy(),
  };
}
