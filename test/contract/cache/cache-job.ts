import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CacheStorePorts } from '../../../src/cache/adapters/cache-store.ts';
import { type CacheStores, createCacheStores } from '../../../src/cache/adapters/cache-stores.ts';
import { managerPorts } from '../../../src/cache/adapters/manager-ports.ts';
import { cacheStoreTable } from '../../../src/compose.ts';
import type { RunnerConfig } from '../../../src/config/runner-config.ts';
import { withCacheAccess } from '../../../src/job/cache-access.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { generateScript } from '../../../src/shells/generate-script.ts';
import {
  payloadFixture,
  planRequestFixture,
  runnerFixture,
  shellTraits,
  variablesFixture,
} from '../../support/plan-fixtures.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { runScript } from '../../support/run-script.ts';
import { millrace } from '../../support/runner-bench.ts';

/** The built program where the tests run on one: it starts in a tenth of the time. */
const helperCommand =
  process.env['MILLRACE_BUILT'] === '1'
    ? millrace().command
    : [process.execPath, fileURLToPath(new URL('../../../src/main.ts', import.meta.url))];

export type Environment = Readonly<Record<string, string>>;

export interface CacheJobOptions {
  readonly cache: RunnerConfig['cache'];
  /** Of the manager; the job's own is the same, as with the shell executor. */
  readonly environment: Environment;
  /** Of the manager's clock, for access that is no longer good. */
  readonly clockOffsetMs?: number;
  readonly timeoutSeconds?: number;
  readonly variables?: Environment;
  readonly featureFlags?: Readonly<Record<string, boolean>>;
  /** The `cache:` entry. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** A machine that runs jobs: build and cache folders of its own. */
export class CacheMachine {
  readonly folder: string;
  readonly project: string;

  constructor(parent: string) {
    this.folder = mkdtempSync(join(parent, 'machine-'));
    this.project = join(this.folder, 'builds', 'abcdefghi', '0', 'group', 'demo');
    mkdirSync(this.project, { recursive: true });
    mkdirSync(`${this.project}.tmp`);
  }

  /** Runs a job's stage that restores caches; returns what the user sees of it. */
  async restore(options: CacheJobOptions): Promise<string> {
    return await this.#run('restoreCache', options);
  }

  /** Runs the stage that saves them after a success. */
  async save(options: CacheJobOptions): Promise<string> {
    return await this.#run('archiveCacheOnSuccess', options);
  }

  /** The folder of one local cache. */
  localCache(storageKey: string): string {
    return join(this.folder, 'cache', 'group', 'demo', storageKey);
  }

  async #run(name: 'restoreCache' | 'archiveCacheOnSuccess', options: CacheJobOptions): Promise<string> {
    const runner = runnerFixture({
      cache: options.cache,
      buildsDir: join(this.folder, 'builds'),
      cacheDir: join(this.folder, 'cache'),
      featureFlags: options.featureFlags ?? {},
    });
    const payload = payloadFixture({
      variables: variablesFixture(options.variables ?? {}),
      runner_info: { timeout: options.timeoutSeconds ?? 3600 },
      cache: [{ paths: ['kept'], policy: 'pull-push', ...options.entry }],
    });
    const traits = { ...shellTraits, helperCommand };
    const plan = planBuild(planRequestFixture({ payload, runner, traits }));
    const planned = plan.stages[name];
    if (planned === undefined) throw new Error(`the plan has no ${name}`);
    const { logger } = recordingLogger();
    const parts = { plan, runner, stores: storesOf(options, logger), logger };
    const stage =
      options.cache.type === '' ? planned : await withCacheAccess(planned, parts, new AbortController().signal);
    const script = generateScript(stage, plan, { jobStatus: 'success' });
    const { stdout, stderr, code } = await runScript(['bash'], script, { env: options.environment, cwd: this.folder });
    if (code !== 0) throw new Error(`the stage ended with ${code}:\n${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  }
}

function storesOf({ environment, clockOffsetMs = 0 }: CacheJobOptions, logger: CacheStorePorts['log']): CacheStores {
  const now = (): number => Date.now() + clockOffsetMs;
  return createCacheStores(cacheStoreTable, () => managerPorts({ environment, logger, now }));
}
