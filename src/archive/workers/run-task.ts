import { packTar } from './pack-tar.ts';
import { packZip } from './pack-zip.ts';
import type { PackedBatch, PackTask, UnpackTarTask, UnpackZipTask } from './tasks.ts';
import { type UnpackedTar, unpackTar } from './unpack-tar.ts';
import { unpackZip } from './unpack-zip.ts';
import type { WorkingSet } from './working-set.ts';

export type Task = PackTask | UnpackZipTask | UnpackTarTask;
export type TaskResult = PackedBatch | UnpackedTar | undefined;

/** Does a task in this thread. @throws as the task says. */
export function runTask(task: Task, set: WorkingSet): TaskResult | Promise<TaskResult> {
  switch (task.kind) {
    case 'packZip':
      return packZip(task, set);
    case 'packTar':
      return packTar(task, set);
    case 'unpackZip':
      unpackZip(task, set);
      return undefined;
    case 'unpackTar':
      return unpackTar(task);
  }
}
