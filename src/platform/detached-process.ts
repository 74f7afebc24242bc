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
}

/**
 * Starts a process that outlives this one: leader of a session and group of its own, no stream shared with us.
 * @throws the system's error when it cannot be started.
 */
export async function startDetached(command: DetachedCommand): Promise<DetachedProcess> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: 'ignore',
    detached: true,
  });
  const pid = child.pid;
  if (pid === undefined) {
    return await new Promise((_resolve, reject) => child.once('error', reject));
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.on('error', () => {});
  return { pid, ended };
}
