import { join } from 'node:path';
import type { Executor, StageIo } from '../executors/port.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { makePrivateFolder } from '../platform/private-folder.ts';
import { generateScript } from '../shells/generate-script.ts';
import { doLocalFileWork } from './local-file-work.ts';

/** After it what still hangs is left to the executor's cleanup. */
const limitMs = 60_000;

/**
 * Removes file variables and the like from an environment that outlives the job: for builds that were stopped before
 * their cleanup stage could. Nothing of it is shown in the trace.
 * @throws what hinders it.
 */
export async function removeSecrets(plan: BuildPlan, executor: Executor, folder: string): Promise<void> {
  const { cleanup } = plan.stages;
  const stage: StagePlan = { ...cleanup, operations: cleanup.operations.filter(({ op }) => op === 'removeFile') };
  if (executor.localFiles === true) {
    await doLocalFileWork(stage.operations);
    return;
  }
  if (executor.keepsFiles !== true) return;
  const directory = join(folder, 'stage-secrets');
  makePrivateFolder(directory);
  const script = generateScript(stage, plan, { jobStatus: 'failed' });
  const command = { stage: stage.stage, where: stage.where, isOurs: true, script };
  await executor.run(command, silentIo(directory), AbortSignal.timeout(limitMs));
}

function silentIo(directory: string): StageIo {
  return { directory, cursor: undefined, recordStage: () => {}, write: () => {} };
}
