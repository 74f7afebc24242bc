import { type ChildProcess, spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A program that serves on this machine until it is stopped. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  log(): string;
  stop(): Promise<void>;
}

export interface ServiceCommand {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it answers. */
  readonly isReady: () => Promise<boolean>;
}

const readyDeadlineMs = 30_000;

/** Starts a program and waits until it answers. @throws with what it printed */
export async function startService(command: ServiceCommand): Promise<ServiceProcess> {
  const child = spawn(command.program, command.arguments, {
    env: { PATH: process.env['PATH'], ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
    resolve();
  };
  child.once('exit', end);
  child.once('error', (error) => {
    log += String(error);
    end();
  });
  const deadline = performance.now() + readyDeadlineMs;
  while (!(await command.isReady().catch(() => false))) {
    if (hasEnded || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${command.program} does not serve:\n${log}`);
    }
    await pause(25);
  }
  return {
    child,
    log: () => log,
    stop: async () => {
      if (!hasEnded) child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(force);
    },
  };
}

/** A port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
