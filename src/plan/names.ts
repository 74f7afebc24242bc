import { createHash } from 'node:crypto';
import type { RunnerConfig } from '../config/runner-config.ts';
import { shortToken } from '../variables/short-token.ts';
import type { BuildNames } from './build-plan.ts';

export interface NameSources {
  readonly runner: RunnerConfig;
  readonly projectId: number;
  readonly jobId: number;
  readonly concurrentId: number;
  readonly concurrentProjectId: number;
}

/** Names that tell builds apart (spec job-execution.md §2). */
export function buildNames(sources: NameSources): BuildNames {
  const { runner, projectId, jobId, concurrentId, concurrentProjectId } = sources;
  const short = shortToken(runner.token);
  const systemId = runner.systemId === '' ? 'unknown' : runner.systemId;
  const identity = `${runner.token}-${systemId}-${projectId}-${concurrentProjectId}`;
  return {
    concurrentId,
    concurrentProjectId,
    unique: dnsLabel(`runner-${short}-project-${projectId}-concurrent-${concurrentProjectId}`),
    uniqueShort: dnsLabel(`runner-${short}-${projectId}-${concurrentProjectId}-${jobId}`),
    volume: `runner-${createHash('sha256').update(identity).digest('hex').slice(0, 32)}`,
  };
}

/** Fits RFC 1123. */
function dnsLabel(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^-a-z0-9]/g, '')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
}
