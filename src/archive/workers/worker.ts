import { parentPort, type TransferListItem } from 'node:worker_threads';
import { systemErrorCode } from '../../lib/errors.ts';
import type { ThreadAnswer, ThreadTask } from '../../platform/thread-pool.ts';
import { runTask, type Task } from './run-task.ts';
import { WorkingSet } from './working-set.ts';

// The entry of a thread: tasks come one after the other, each is answered.
const set = new WorkingSet();
let previous = Promise.resolve();

parentPort?.on('message', ({ id, task }: ThreadTask) => {
  previous = previous.then(() => answer(id, task as Task));
});

async function answer(id: number, task: Task): Promise<void> {
  try {
    const result = await runTask(task, set);
    send({ id, result }, result !== undefined && 'body' in result ? [result.body.buffer as ArrayBuffer] : []);
  } catch (error) {
    const { message, name } = error instanceof Error ? error : new Error(String(error));
    const cause = error instanceof Error ? error.cause : undefined;
    send({ id, failure: { message, name, code: systemErrorCode(cause) ?? systemErrorCode(error) } }, []);
  }
}

function send(message: ThreadAnswer, transfer: readonly TransferListItem[]): void {
  parentPort?.postMessage(message, transfer);
}
