import type { NetworkFacts } from '../container/network-config.ts';
import type { JobContext } from './job-context.ts';
import type { ResolvedImage } from './job-images.ts';

export interface JobServices {
  /** `<alias>:<address>` for containers that could not find the services otherwise. */
  readonly hosts: readonly string[];
  /** Waits until they can be used, or says in the trace that they cannot. */
  readonly ready: () => Promise<void>;
}

export interface ServiceSurroundings {
  readonly network: NetworkFacts;
  readonly volumes: () => Promise<void>;
  readonly helperImage: () => Promise<ResolvedImage>;
}

export async function startServices(
  _context: JobContext,
  _surroundings: ServiceSurroundings,
  _signal: AbortSignal,
): Promise<JobServices> {
  return { hosts: [], ready: async () => {} };
}

export async function findServices(_context: JobContext, _signal: AbortSignal): Promise<JobServices> {
  return { hosts: [], ready: async () => {} };
}
