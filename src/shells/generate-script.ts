import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { posixScript } from './posix-script.ts';
import { powershellScript } from './powershell-script.ts';
import { stageExports } from './stage-exports.ts';

/** What is known only when a stage's turn comes. */
export interface ScriptOverrides {
  /** Value of CI_JOB_STATUS: `running`, `success`, `failed`, `canceled` or `timedout`. */
  readonly jobStatus: string;
}

/**
 * The program text of one stage for the plan's shell (spec shells.md §3, §4). It holds the job's secrets.
 */
export function generateScript(stage: StagePlan, plan: BuildPlan, overrides: ScriptOverrides): string {
  const exports = stageExports(stage, plan, overrides.jobStatus);
  switch (plan.shell) {
    case 'bash':
    case 'sh':
      return posixScript(stage, plan, plan.shell, exports);
    case 'pwsh':
    case 'powershell':
      return powershellScript(stage, plan, plan.shell, exports);
  }
}
