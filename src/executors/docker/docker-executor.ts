import type { CleanupReport, Executor } from '../port.ts';
import type { JobEnvironment } from './environment/job-environment.ts';

/** @param remove takes care that everything of the job goes */
export function createDockerExecutor(
  environment: JobEnvironment,
  remove: (signal: AbortSignal) => Promise<CleanupReport>,
): Executor {
  let current: Promise<unknown> | undefined;

  async function take<T>(work: Promise<T>): Promise<T> {
    current = work;
    try {
      return await work;
    } finally {
      current = undefined;
    }
  }

  return {
    doPlainWork: (operations, signal) => take(environment.doPlainWork(operations, signal)),

    run: (command, io, signal) =>
      take(
        command.where === 'helper'
          ? environment.helper.run(command, io, signal)
          : environment.build.run(command, io, signal),
      ),

    resume: (command, handle, io, signal) =>
      take(
        command.where === 'helper'
          ? environment.helper.resume(handle, io, signal)
          : environment.build.resume(handle, io, signal),
      ),

    cleanup: async (signal) => {
      environment.helper.close();
      const running = current;
      const report = await remove(signal);
      // What runs loses its container by that.
      await running?.catch(() => {});
      return report;
    },
  };
}
