import { mkdir, open, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname } from 'node:path';
import { systemErrorCode } from '../lib/errors.ts';

/** A lock that the kernel gives back when its holder dies, however it dies. */
export interface HeldLock {
  /** Gives the lock back. Idempotent. */
  release(): Promise<void>;
}

/** Longest socket path every system takes, with the final zero byte. */
const longestSocketPath = 100;
const unfinished = '.new';

/**
 * Holds a lock named by a path, as a listening local socket. Works across PID namespaces on one host, unlike a
 * recorded process id. The path must be new: every holder has its own name.
 */
export async function holdLock(path: string): Promise<HeldLock> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const server = createServer((socket) => socket.destroy());
  // Listening comes a moment after binding: the name appears only once it answers.
  await withShortPath(`${path}${unfinished}`, (shortPath) => listen(server, shortPath));
  await rename(`${path}${unfinished}`, path);
  server.unref();
  let released: Promise<void> | undefined;
  return {
    release: () => {
      released ??= closeAndRemove(server, path);
      return released;
    },
  };
}

/** Whether a file in a folder of locks is one that is just being made. */
export function isUnfinishedLock(name: string): boolean {
  return name.endsWith(unfinished);
}

/** Whether a living process holds the lock of that path. */
export async function isLockHeld(path: string): Promise<boolean> {
  try {
    return await withShortPath(path, canConnect);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function closeAndRemove(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await rm(path, { force: true });
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = systemErrorCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      else if (code === 'EAGAIN' || code === 'ECONNRESET') resolve(true);
      else reject(error);
    });
  });
}

/** Socket addresses hold about a hundred bytes; a long path is reached through an open folder instead. */
async function withShortPath<T>(path: string, use: (shortPath: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= longestSocketPath) return await use(path);
  const folder = await open(dirname(path), 'r');
  try {
    return await use(`/proc/self/fd/${folder.fd}/${basename(path)}`);
  } finally {
    await folder.close();
  }
}
