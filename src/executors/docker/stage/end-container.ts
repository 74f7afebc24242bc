import { setTimeout as sleep } from 'node:timers/promises';
import type { DockerClient } from '../api/docker-client.ts';
import { signalAllCommand } from './container-scripts.ts';

/** How long ending may take. */
export interface EndingTimes {
  /** Seconds from SIGTERM to SIGKILL. */
  readonly graceSeconds: number;
  /** Milliseconds that a removal may take before it is left to the cleanup. */
  readonly removalMs: number;
}

export const defaultEndingTimes: EndingTimes = { graceSeconds: 10, removalMs: 30_000 };

export interface EndOptions {
  readonly client: DockerClient;
  readonly name: string;
  readonly times: EndingTimes;
  readonly nativeStop: boolean;
  /** Settles when the last output was taken. */
  readonly following: Promise<unknown>;
}

/**
 * Ends what runs in a build container: every process is told to, then the daemon stops the container, which kills what
 * does not listen (spec docker.md §10). Never throws: what is left is removed by force.
 */
export async function endContainer({ client, name, times, nativeStop, following }: EndOptions): Promise<void> {
  const limitMs = (times.graceSeconds + 5) * 1000;
  const limit = AbortSignal.timeout(limitMs);
  const over = following.then(
    () => {},
    () => {},
  );
  try {
    if (!nativeStop) await signalAll(client, name, 'TERM', limit);
    await client.stopContainer(name, { graceSeconds: times.graceSeconds }, limit);
  } catch {
    // Gone, or the daemon does not answer.
  }
  await Promise.race([over, sleep(Math.min(limitMs, 5000), undefined, { ref: false })]);
}

/** Signals every process of a container but its first. @throws DaemonError where it does not run */
export async function signalAll(
  client: DockerClient,
  name: string,
  signalName: 'TERM' | 'KILL',
  signal: AbortSignal,
): Promise<void> {
  try {
    const exec = await client.createExec(name, { Cmd: signalAllCommand(signalName), User: '0' }, signal);
    await client.startExecDetached(exec, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    // It does not run any more, or has no shell.
  }
}
