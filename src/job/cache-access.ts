import type { CacheAccess, CacheObject, CacheStore } from '../cache/adapters/cache-store.ts';
import type { CacheStores } from '../cache/adapters/cache-stores.ts';
import type { RunnerConfig } from '../config/runner-config.ts';
import { AbortReason } from '../lib/abort.ts';
import { errorMessage, MillraceError } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import {
  type CacheTransferAccess,
  type CacheTransferOperation,
  cacheTransfersIn,
  resolveCacheTransfers,
} from '../script/cache-transfer.ts';
import type { CacheUse } from '../script/operations.ts';

export interface CacheAccessParts {
  readonly plan: BuildPlan;
  readonly runner: RunnerConfig;
  readonly stores: CacheStores;
  readonly logger: Logger;
}

/**
 * Completes the cache commands of a stage with what gives access to the runner's store, made now so that it lasts
 * (spec cache-artifacts.md §7, §11). A store that cannot be used costs the job a warning, nothing else.
 * @throws only the signal's reason
 */
export async function withCacheAccess(
  stage: StagePlan,
  parts: CacheAccessParts,
  signal: AbortSignal,
): Promise<StagePlan> {
  const transfers = cacheTransfersIn(stage.operations);
  if (transfers.length === 0) return stage;
  const store = await openStore(parts, signal);
  const answers = await Promise.all(
    transfers.map(async (transfer) => [transfer, await answer(transfer.use, store, parts, signal)] as const),
  );
  return { ...stage, operations: resolveCacheTransfers(stage.operations, distinct(answers)) };
}

type Answer = readonly [CacheTransferOperation, CacheTransferAccess];

function distinct(answers: readonly Answer[]): ReadonlyMap<CacheTransferOperation, CacheTransferAccess> {
  const seen = new Set<string>();
  return new Map(
    answers.map(([transfer, access]) => {
      // One problem of the store is told once, not for every key.
      const warnings = access.warnings.filter((text) => !seen.has(text));
      for (const text of warnings) seen.add(text);
      return [transfer, { ...access, warnings }];
    }),
  );
}

type OpenedStore = CacheStore | { readonly problem: string };

async function openStore({ stores, runner, logger }: CacheAccessParts, signal: AbortSignal): Promise<OpenedStore> {
  // A job that an earlier manager took for a runner which is configured no more.
  if (runner.cache.type === '') return { problem: 'its configuration is gone' };
  try {
    return await stores.storeFor(runner.cache);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    logger.error('Could not create cache adapter', describe(error));
    return { problem: errorMessage(error) };
  }
}

async function answer(
  use: CacheUse,
  store: OpenedStore,
  { plan, logger }: CacheAccessParts,
  signal: AbortSignal,
): Promise<CacheTransferAccess> {
  if ('problem' in store) return unused(`The cache store is not used: ${store.problem}`);
  if (use.object === undefined) {
    const error = 'computed cache path outside of project bucket. Please remove `../` from cache key';
    logger.error('Error while generating cache bucket.', { error });
    return unused(`The cache store is not used for cache ${use.key}: ${error}`);
  }
  const object = { name: use.object, humanKey: use.key, lifetimeMs: plan.timeouts.jobMs };
  try {
    const access = await store.access(object, use.direction, signal);
    if (access.kind === 'direct' && access.problem !== undefined) {
      logger.error('Error while getting credentials for a cache', { error: access.problem });
    }
    return use.direction === 'upload' ? uploadAccess(access) : await downloadAccess(use, object, access, store, signal);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    if (!(error instanceof MillraceError)) throw error;
    logger.error('Error while getting access to a cache', describe(error));
    return unused(problemLine(use, errorMessage(error)));
  }
}

function uploadAccess(access: CacheAccess): CacheTransferAccess {
  if (access.kind === 'direct') {
    const warnings = access.problem === undefined ? [] : [uploadProblem(access.problem)];
    return { ...nothing, arguments: ['--gocloud-url', access.url], environment: access.environment, warnings };
  }
  const headers = Object.entries(access.headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  return { ...nothing, arguments: ['--url', access.url, ...headers, '--check-url', access.headUrl] };
}

/** Credentials are for one object only: the other name of a cache is looked for where URLs are signed. */
async function downloadAccess(
  use: CacheUse,
  object: CacheObject,
  access: CacheAccess,
  store: CacheStore,
  signal: AbortSignal,
): Promise<CacheTransferAccess> {
  if (access.kind === 'direct') {
    const warnings = access.problem === undefined ? [] : [problemLine(use, access.problem)];
    return { ...nothing, arguments: ['--gocloud-url', access.url], environment: access.environment, warnings };
  }
  const first = { ...nothing, arguments: ['--url', access.url, '--head-url', access.headUrl] };
  if (use.alternateObject === undefined) return first;
  const alternate = await store.access({ ...object, name: use.alternateObject }, 'download', signal);
  if (alternate.kind === 'direct') return first;
  return { ...first, lastArguments: ['--alternate-url', alternate.url, '--alternate-head-url', alternate.headUrl] };
}

const nothing: CacheTransferAccess = { arguments: [], lastArguments: [], environment: {}, warnings: [] };

function unused(warning: string): CacheTransferAccess {
  return { ...nothing, warnings: [warning] };
}

function problemLine({ direction, key }: CacheUse, problem: string): string {
  return direction === 'upload' ? uploadProblem(problem) : `Failed to obtain environment for cache ${key}: ${problem}`;
}

function uploadProblem(problem: string): string {
  return `Unable to generate cache upload environment: ${problem}`;
}

function describe(error: unknown): Readonly<Record<string, string>> {
  const hint = error instanceof MillraceError ? error.hint : undefined;
  return { error: errorMessage(error), ...(hint === undefined ? {} : { hint }) };
}
