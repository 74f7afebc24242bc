import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { isAbsolutePath } from '../script/paths.ts';
import { powershellExports } from './powershell-exports.ts';
import { PowershellWriter } from './powershell-writer.ts';
import type { StageExports } from './stage-exports.ts';

const byteOrderMark = '\uFEFF';

/** A stage for PowerShell (spec shells.md §4). */
export function powershellScript(
  stage: StagePlan,
  plan: BuildPlan,
  shell: 'pwsh' | 'powershell',
  exports: StageExports | undefined,
): string {
  const { root } = plan.directories;
  const isRelative = !isAbsolutePath(root) && !plan.script.powershellPathResolver;
  const writer = new PowershellWriter({
    resolvesPaths: plan.script.powershellPathResolver,
    relativeRoot: isRelative ? root : undefined,
  });
  if (plan.script.debugTrace) writer.line('Set-PSDebug -Trace 2');
  if (shell === 'pwsh') writer.line('$ErrorActionPreference = "Stop"');
  if (isRelative) writer.line('$CurrentDirectory = (Resolve-Path ./).Path');
  if (exports !== undefined) powershellExports(exports, writer);
  writer.operations(stage.operations);
  return frame(shell, plan, writer.lines());
}

/** The block makes PowerShell read all of the script before it runs the first line. */
function frame(shell: 'pwsh' | 'powershell', { script }: BuildPlan, body: readonly string[]): string {
  const block = ['& {', '', ...body, '}', ''];
  if (shell === 'pwsh') return `${['#!/usr/bin/env pwsh', ...block].join('\n')}\n`;
  if (!script.powershellFromFile) return `${block.join('\r\n')}\r\n`;
  return `${byteOrderMark}${body.join('\r\n')}\r\n`;
}
