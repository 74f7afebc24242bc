import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { claimOwner, claimsIn, makeClaim, removeClaim } from '../platform/claim-link.ts';
import type { JournalRecord } from './records.ts';

/**
 * The concurrency numbers that jobs on this host have, of all managers that share a journal: they name build folders
 * and containers, so two managers with one configuration must not give out the same.
 */
export interface NumberClaims {
  /**
   * Takes a number of a runner, or of a runner's project, if no job of another manager has it. Where claims cannot be
   * written (disk full), the caller's own count is all there is.
   */
  claim(runnerToken: string, projectId: number | undefined, number: number): boolean;
  /** Gives a number back that this manager has; others are left alone. */
  release(runnerToken: string, projectId: number | undefined, number: number): void;
}

/** Claims are links in `folder`, named after what they count, to the id of their manager. */
export function createNumberClaims(folder: string, manager: string): NumberClaims {
  return {
    claim: (runnerToken, projectId, number) => {
      try {
        return makeClaim(join(folder, claimName(runnerToken, projectId, number)), manager);
      } catch {
        return true;
      }
    },
    release: (runnerToken, projectId, number) => {
      const path = join(folder, claimName(runnerToken, projectId, number));
      if (claimOwner(path) === manager) removeClaim(path);
    },
  };
}

/** Moves the claims of an adopted job to its new manager. */
export function adoptClaims(folder: string, manager: string, records: readonly JournalRecord[]): void {
  for (const name of claimsOf(records)) {
    const path = join(folder, name);
    if (claimOwner(path) === manager) continue;
    removeClaim(path);
    try {
      makeClaim(path, manager);
    } catch {
      // As in `claim`.
    }
  }
}

/** Takes away what managers left that died between taking a number and writing its job down, or after the job. */
export async function removeStaleClaims(
  folder: string,
  isAlive: (manager: string) => Promise<boolean>,
  jobs: () => Iterable<readonly JournalRecord[]>,
): Promise<void> {
  const orphaned: { readonly name: string; readonly owner: string }[] = [];
  for (const name of claimsIn(folder)) {
    const owner = claimOwner(join(folder, name));
    if (owner !== undefined && !(await isAlive(owner))) orphaned.push({ name, owner });
  }
  if (orphaned.length === 0) return;
  const used = new Set([...jobs()].flatMap(claimsOf));
  for (const { name, owner } of orphaned) {
    const path = join(folder, name);
    if (!used.has(name) && claimOwner(path) === owner) removeClaim(path);
  }
}

function claimsOf(records: readonly JournalRecord[]): readonly string[] {
  const received = records.find((record) => record.type === 'received');
  if (received === undefined || received.plan === null) return [];
  const { runnerToken } = received.origin;
  const { names, job } = received.plan;
  return [
    claimName(runnerToken, undefined, names.concurrentId),
    claimName(runnerToken, job.projectId, names.concurrentProjectId),
  ];
}

function claimName(runnerToken: string, projectId: number | undefined, number: number): string {
  const runner = createHash('sha256').update(runnerToken).digest('hex').slice(0, 16);
  return projectId === undefined ? `${runner}.${number}` : `${runner}-${projectId}.${number}`;
}
