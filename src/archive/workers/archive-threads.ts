import { ThreadPool } from '../../platform/thread-pool.ts';
import { ArchiveError } from '../archive-error.ts';
import { runTask, type Task } from './run-task.ts';
import { startWorker } from './start-worker.ts';
import type { PackedBatch, PackTask, UnpackTarTask, UnpackZipTask } from './tasks.ts';
import type { UnpackedTar } from './unpack-tar.ts';
import { WorkingSet } from './working-set.ts';

/** Each costs about 20 MB, and the whole program is to stay below 200 MB. */
const mostThreads = 4;

/** Work up to this is done at once where it comes up: starting a thread takes longer, and nobody waits for it. */
const inlineEntries = 64;
const inlineBytes = 256 * 1024;

/** Where the tasks of one archive are done: in threads, or for a small archive right here. */
export interface ArchiveThreads {
  /** How many tasks are done at the same time. */
  readonly size: number;
  pack(task: PackTask): Promise<PackedBatch>;
  unpackZip(task: UnpackZipTask): Promise<void>;
  unpackTar(task: UnpackTarTask): Promise<UnpackedTar>;
  /** Ends them, whatever they do. */
  close(): Promise<void>;
}

export function openThreads(
  concurrency: number,
  work: { readonly entries: number; readonly bytes: number },
): ArchiveThreads {
  if (work.entries <= inlineEntries && work.bytes <= inlineBytes) return inlineThreads();
  const size = Math.max(1, Math.min(concurrency, mostThreads, Math.ceil(work.entries / 2)));
  const pool = new ThreadPool(size, startWorker, ({ message, name, code }) => {
    const error = name === 'ArchiveError' ? new ArchiveError(message) : new Error(message);
    return code === undefined ? error : Object.assign(error, { cause: Object.assign(new Error(message), { code }) });
  });
  return {
    size,
    pack: async (task) => (await pool.run(task)) as PackedBatch,
    unpackZip: async (task) => void (await pool.run(task)),
    unpackTar: async (task) => (await pool.run(task)) as UnpackedTar,
    close: () => pool.close(),
  };
}

function inlineThreads(): ArchiveThreads {
  const set = new WorkingSet();
  const run = async (task: Task): Promise<unknown> => await runTask(task, set);
  return {
    size: 1,
    pack: async (task) => (await run(task)) as PackedBatch,
    unpackZip: async (task) => void (await run(task)),
    unpackTar: async (task) => (await run(task)) as UnpackedTar,
    close: () => Promise.resolve(),
  };
}
