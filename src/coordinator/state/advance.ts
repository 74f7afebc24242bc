import type { JobStatus, SubmittedJob } from '../submission.ts';
import { type CompositeStatus, compositeStatus, type MappedStatus, mapStatus } from './composite-status.ts';
import { isCompleted } from './records.ts';

/** The latest attempt of one job, as far as the graph is concerned. */
export interface PipelineNode {
  readonly name: string;
  readonly stageIndex: number;
  /** Names of jobs it waits for; null = all jobs of earlier stages. */
  readonly needs: readonly string[] | null;
  readonly when: SubmittedJob['when'];
  readonly status: JobStatus;
  /** The failure of this attempt does not count. */
  readonly isFailureAllowed: boolean;
}

export interface AdvanceStep {
  readonly name: string;
  readonly action: 'start' | 'hold_for_hand' | 'schedule' | 'skip';
}

/**
 * What becomes of the jobs that are still `created`, in order (spec local-pipeline.md §10.2).
 * Follows the consequences of its own steps, so that one call reaches a fixed point.
 */
export function advancePipeline(nodes: readonly PipelineNode[]): readonly AdvanceStep[] {
  const statuses = new Map(nodes.map((node) => [node.name, mapStatus(node.status, node.isFailureAllowed)]));
  const waiting = new Set(nodes.filter((node) => node.status === 'created'));
  const steps: AdvanceStep[] = [];
  for (let isMoving = true; isMoving && waiting.size > 0; ) {
    isMoving = false;
    const stages = compositesBeforeStages(nodes, statuses);
    for (const node of waiting) {
      const action = decide(node, previousStatus(node, stages, statuses));
      if (action === undefined) continue;
      steps.push({ name: node.name, action });
      statuses.set(node.name, mapStatus(statusAfter[action], node.isFailureAllowed));
      waiting.delete(node);
      isMoving = true;
    }
  }
  return steps;
}

const statusAfter: Record<AdvanceStep['action'], JobStatus> = {
  start: 'pending',
  hold_for_hand: 'manual',
  schedule: 'scheduled',
  skip: 'skipped',
};

/** For each stage, the composite of all jobs before it. */
function compositesBeforeStages(
  nodes: readonly PipelineNode[],
  statuses: ReadonlyMap<string, MappedStatus>,
): readonly CompositeStatus[] {
  const stageCount = nodes.reduce((count, node) => Math.max(count, node.stageIndex + 1), 0);
  const byStage: Set<MappedStatus>[] = Array.from({ length: stageCount }, () => new Set());
  for (const node of nodes) byStage[node.stageIndex]?.add(statuses.get(node.name) ?? node.status);
  const before = new Set<MappedStatus>();
  return byStage.map((stage) => {
    const composite = compositeStatus(before, 'stage');
    for (const status of stage) before.add(status);
    return composite;
  });
}

function previousStatus(
  node: PipelineNode,
  stages: readonly CompositeStatus[],
  statuses: ReadonlyMap<string, MappedStatus>,
): CompositeStatus {
  if (node.needs === null) return stages[node.stageIndex] ?? 'success';
  const needed = new Set<MappedStatus>();
  for (const name of node.needs) {
    const status = statuses.get(name);
    if (status !== undefined) needed.add(status);
  }
  return compositeStatus(needed, 'dag');
}

function decide(node: PipelineNode, previous: CompositeStatus): AdvanceStep['action'] | undefined {
  if (!isCompleted(previous)) return undefined;
  if (!runsAfter(node, previous)) return 'skip';
  if (node.when === 'manual') return 'hold_for_hand';
  return node.when === 'delayed' ? 'schedule' : 'start';
}

function runsAfter(node: PipelineNode, previous: CompositeStatus): boolean {
  switch (node.when) {
    case 'on_failure':
      return previous === 'failed';
    case 'always':
      return previous !== 'canceled';
    case 'on_success':
    case 'manual':
    case 'delayed':
      return previous === 'success' || (previous === 'skipped' && node.needs === null);
  }
}

/** Status of the whole pipeline: the composite of the latest attempts. */
export function pipelineComposite(nodes: readonly PipelineNode[]): CompositeStatus {
  return compositeStatus(new Set(nodes.map((node) => mapStatus(node.status, node.isFailureAllowed))), 'stage');
}

/** Names of the skipped jobs that depend on a job, directly or not: they are considered again when it is played. */
export function skippedDependents(nodes: readonly PipelineNode[], name: string): readonly string[] {
  const origin = nodes.find((node) => node.name === name);
  if (origin === undefined) return [];
  const reached = new Map([[origin.name, origin]]);
  for (let size = 0; size !== reached.size; ) {
    size = reached.size;
    for (const node of nodes) {
      if (!reached.has(node.name) && dependsOnAny(node, reached)) reached.set(node.name, node);
    }
  }
  return [...reached.values()].filter((node) => node !== origin && node.status === 'skipped').map((node) => node.name);
}

function dependsOnAny(node: PipelineNode, others: ReadonlyMap<string, PipelineNode>): boolean {
  if (node.needs !== null) return node.needs.some((need) => others.has(need));
  for (const other of others.values()) {
    if (other.stageIndex < node.stageIndex) return true;
  }
  return false;
}
