import { posix } from 'node:path';
import { planOwnership } from '../git/ownership.ts';
import type { PayloadCache } from '../gitlab/job-payload.ts';
import { JobConfigurationError } from '../lib/errors.ts';
import { changeDirectory, notice, removeDirectory, warning } from '../script/build-operations.ts';
import { type CacheTransferOperation, cacheTransferOperations } from '../script/cache-transfer.ts';
import type { CacheUse, ScriptOperation } from '../script/operations.ts';
import { isAbsolutePath } from '../script/paths.ts';
import { expandText } from '../variables/expand.ts';
import type { StagePlan } from './build-plan.ts';
import { type CacheKey, resolveCacheKey, sanitizeCacheKey } from './cache-key.ts';
import { helperStage, type PlanContext, withHelper } from './plan-context.ts';

const protectedSuffix = '-protected';

/** Brings the job's caches back (spec job-execution.md §19 "Restore"); undefined = there are none. */
export function planRestoreCache(context: PlanContext): StagePlan | undefined {
  const caches = context.payload.cache.filter(savesSomething);
  if (caches.length === 0) return undefined;
  const { root, project, cache } = context.directories;
  const shape = { stage: 'restore_cache', title: 'Restoring cache', attempts: context.settings.attempts.restoreCache };
  return generated(shape, () => [
    changeDirectory(project),
    ...caches.flatMap((entry) => restoreOperations(entry, context)),
    ...(context.git.changesOwnership && context.dialect === 'posix'
      ? planOwnership(root, [cache, root], context.git.debug)
      : []),
  ]);
}

/** Saves the caches whose `when` fits; undefined = none does. */
export function planArchiveCache(outcome: 'success' | 'failure', context: PlanContext): StagePlan | undefined {
  const caches = context.payload.cache.filter((entry) => savesSomething(entry) && fits(entry.when, outcome));
  if (caches.length === 0) return undefined;
  const shape =
    outcome === 'success'
      ? { stage: 'archive_cache', title: 'Saving cache for successful job' }
      : { stage: 'archive_cache_on_failure', title: 'Saving cache for failed job' };
  return generated(shape, () => [
    changeDirectory(context.directories.project),
    ...caches.flatMap((entry) => archiveOperations(entry, context)),
  ]);
}

/** `when` of caches and artifacts; empty means on success. */
export function fits(when: string, outcome: 'success' | 'failure'): boolean {
  return when === 'always' || (when === '' ? 'on_success' : when) === `on_${outcome}`;
}

function savesSomething(entry: PayloadCache): boolean {
  return entry.paths.length > 0 || entry.untracked;
}

/** A stage that cannot be generated fails when its turn comes. */
function generated(
  shape: { readonly stage: string; readonly title: string; readonly attempts?: number },
  operations: () => readonly ScriptOperation[],
): StagePlan {
  try {
    return helperStage({ ...shape, operations: operations() });
  } catch (error) {
    if (!(error instanceof JobConfigurationError)) throw error;
    return helperStage({ ...shape, operations: [], generationError: error.message });
  }
}

function restoreOperations(entry: PayloadCache, context: PlanContext): readonly ScriptOperation[] {
  const { key, warning: keyWarning, problem } = resolveCacheKey(entry.key, context);
  const warnings = keyWarning === undefined ? [] : [warning(keyWarning)];
  if (key === undefined) return [...warnings, notice(`Skipping cache extraction due to ${problem ?? 'its key'}`)];
  if (!allows('pull', entry, key, context)) {
    return [...warnings, notice(`Not downloading cache ${key.human} due to policy`)];
  }
  const fallbacks = fallbackKeys(entry, context);
  return [
    ...warnings,
    ...fallbacks.messages,
    withHelper(context, 'Extracting cache', (helper, leading) =>
      extractFirst([key, ...fallbacks.keys], entry, context, [helper, ...leading]),
    ),
  ];
}

function extractFirst(
  keys: readonly CacheKey[],
  entry: PayloadCache,
  context: PlanContext,
  helper: readonly string[],
): readonly ScriptOperation[] {
  const [key, ...others] = keys;
  if (key === undefined) return [];
  const timeout = String(context.settings.cacheRequestTimeoutMinutes);
  return [
    notice(`Checking cache for ${key.human}...`),
    ...transfer(
      {
        use: useOf('download', key),
        helper,
        arguments: ['cache-extractor', '--file', key.archive, '--timeout', timeout],
        environment: {},
        // oxlint-disable-next-line unicorn/no-thenable -- it is a list, nothing awaits it
        then: [notice('Successfully extracted cache')],
        else: [
          warning('Failed to extract cache'),
          ...(context.isOn('FF_CLEAN_UP_FAILED_CACHE_EXTRACT') ? removePaths(entry, context) : []),
          ...extractFirst(others, entry, context, helper),
        ],
      },
      context,
    ),
  ];
}

function removePaths(entry: PayloadCache, context: PlanContext): readonly ScriptOperation[] {
  return entry.paths.flatMap((path): readonly ScriptOperation[] => [
    { op: 'print', level: 'print', text: `Removing ${path}` },
    removeDirectory(expandText(path, context.lookup)),
  ]);
}

function fallbackKeys(entry: PayloadCache, context: PlanContext) {
  const keys: CacheKey[] = [];
  const messages: ScriptOperation[] = [];
  const add = (written: string): void => {
    const { key, warning: keyWarning, problem } = resolveCacheKey(written, context);
    if (keyWarning !== undefined) messages.push(warning(keyWarning));
    if (key === undefined) messages.push(notice(`Skipping cache extraction due to ${problem ?? 'its key'}`));
    else keys.push(key);
  };
  for (const written of entry.fallback_keys) {
    if (expandText(written, context.lookup) !== '') add(written);
  }
  const common = context.settings.cacheFallbackKey;
  if (common !== '' && isProtectedKey(common)) {
    messages.push(warning(`CACHE_FALLBACK_KEY ${JSON.stringify(common)} not allowed to end in "${protectedSuffix}"`));
  } else if (common !== '') {
    add(common);
  }
  return { keys, messages };
}

/** Only the server may name caches of protected refs. */
function isProtectedKey(key: string): boolean {
  return sanitizeCacheKey(key)
    .replace(/[. ]+$/, '')
    .endsWith(protectedSuffix);
}

function archiveOperations(entry: PayloadCache, context: PlanContext): readonly ScriptOperation[] {
  const { key, warning: keyWarning, problem } = resolveCacheKey(entry.key, context);
  const warnings = keyWarning === undefined ? [] : [warning(keyWarning)];
  if (key === undefined) return [...warnings, notice(`Skipping cache archiving due to ${problem ?? 'its key'}`)];
  if (!allows('push', entry, key, context)) {
    return [...warnings, notice(`Not uploading cache ${key.human} due to policy`)];
  }
  return [
    ...warnings,
    withHelper(context, 'Creating cache', (helper, leading) =>
      createOperations(key, entry, context, [helper, ...leading]),
    ),
  ];
}

function createOperations(
  key: CacheKey,
  entry: PayloadCache,
  context: PlanContext,
  helper: readonly string[],
): readonly ScriptOperation[] {
  const { maxUploadedArchiveSize } = context.runner.cache;
  return [
    notice(`Creating cache ${key.human}...`),
    ...transfer(
      {
        use: useOf('upload', key),
        helper,
        arguments: [
          'cache-archiver',
          '--file',
          key.archive,
          ...(key.alternateArchive === undefined ? [] : ['--alternate-file', key.alternateArchive]),
          '--timeout',
          String(context.settings.cacheRequestTimeoutMinutes),
          ...(maxUploadedArchiveSize > 0 ? ['--max-uploaded-archive-size', String(maxUploadedArchiveSize)] : []),
          ...entry.paths.flatMap((path) => ['--path', path]),
          ...(entry.untracked ? ['--untracked'] : []),
        ],
        environment: metadataOf(key),
        // oxlint-disable-next-line unicorn/no-thenable -- it is a list, nothing awaits it
        then: [notice('Created cache')],
        else: [warning('Failed to create cache')],
      },
      context,
    ),
  ];
}

/** With a store the manager completes the command when the stage's turn comes; without one it is complete. */
function transfer(
  parts: Omit<CacheTransferOperation, 'op' | 'environmentFile'>,
  context: PlanContext,
): readonly ScriptOperation[] {
  const path = `${context.directories.temporary}/gitlab_runner_cache_env`;
  const environmentFile = { path, argument: fromProject(path, context) };
  const operation = { op: 'cacheTransfer', ...parts, environmentFile } as const;
  return context.runner.cache.type === '' ? cacheTransferOperations(operation) : [operation];
}

function useOf(direction: CacheUse['direction'], { human, object, alternateObject }: CacheKey): CacheUse {
  return { direction, key: human, object, alternateObject };
}

/** Helpers run in the project directory: a relative path has to be seen from there. */
function fromProject(path: string, { directories }: PlanContext): string {
  return isAbsolutePath(path) ? path : posix.relative(directories.project, path);
}

/** `$` is spelled so that no reader of the environment file expands it. */
function metadataOf(key: CacheKey): Readonly<Record<string, string>> {
  return { CACHE_METADATA: JSON.stringify({ cachekey: key.human }).replaceAll('$', String.raw`\u0024`) };
}

/** @throws JobConfigurationError for a policy that does not exist. */
function allows(direction: 'pull' | 'push', entry: PayloadCache, key: CacheKey, context: PlanContext): boolean {
  const policy = expandText(entry.policy, context.lookup);
  switch (policy) {
    case '':
    case 'pull-push':
      return true;
    case 'pull':
    case 'push':
      return policy === direction;
    default:
      throw new JobConfigurationError(`unknown cache policy ${policy} for ${key.human}`);
  }
}
