import { Worker, type WorkerOptions } from 'node:worker_threads';

/** The worker as one script: put in by the build, for the program is one file and reads none beside it. */
declare const MILLRACE_ARCHIVE_WORKER: string;

const options: WorkerOptions = {
  env: {},
  execArgv: [],
  trackUnmanagedFds: false,
  // Content is in buffers outside the heap; a small heap keeps memory flat.
  resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 },
};

/** Starts a thread that answers tasks (see `worker.ts`). */
export function startWorker(): Worker {
  return typeof MILLRACE_ARCHIVE_WORKER === 'string'
    ? new Worker(MILLRACE_ARCHIVE_WORKER, { ...options, eval: true })
    : new Worker(new URL('./worker.ts', import.meta.url), options);
}
