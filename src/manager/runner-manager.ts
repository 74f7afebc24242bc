import type { ManagerConfig } from '../config/manager-config.ts';
import type { RunnerConfig } from '../config/runner-config.ts';
import type { ExecutorProvider } from '../executors/port.ts';
import type { HostPlatform } from '../gitlab/compatibility.ts';
import type { CoordinatorClients } from '../gitlab/coordinator-clients.ts';
import { type RunnerInfo, runnerInfo } from '../gitlab/runner-info.ts';
import { AbortReason } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { ConfigError, errorMessage } from '../lib/errors.ts';
import { shortToken } from '../lib/short-token.ts';
import type { Logger } from '../observability/logger.ts';
import { type ConcurrencyIdAllocator, createConcurrencyIdAllocator, type NumberClaims } from './concurrency-ids.ts';
import { type AdoptedJob, createJobSupervisor, type JobSupervisor } from './job-supervisor.ts';
import { defaultRequestGraces, type PolledRunner, type RequestGraces } from './poll.ts';
import { createRequestLimit } from './request-limit.ts';
import type { RunJob } from './run-job.ts';
import { createRunnerHealth } from './runner-health.ts';
import { runRunnerLoop } from './runner-loop.ts';
import { type ManagerAction, type ManagerEvent, type ManagerState, transition } from './shutdown-state.ts';
import { createSlotTable, type SlotTable } from './slot-table.ts';
import { createTokenUsages, type TokenUsage } from './token-usage.ts';

export interface RunnerManagerOptions {
  readonly config: Pick<ManagerConfig, 'concurrent' | 'checkIntervalMs' | 'shutdownTimeoutMs' | 'runners'>;
  /** By name of the executor in config.toml. */
  readonly providers: ReadonlyMap<string, ExecutorProvider>;
  readonly runJob: RunJob;
  readonly clients: CoordinatorClients;
  readonly host: HostPlatform;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Finds the jobs of earlier managers that are to be gone on with; those of these runners are reported as theirs.
   * Called once, before the first job is asked for.
   */
  readonly recover?: (runners: readonly RunnerConfig[], signal: AbortSignal) => Promise<readonly AdoptedJob[]>;
  /** `true`, or why no new job can be taken now (the journal cannot be written). Asked before every request. */
  readonly canTakeJobs?: () => true | string;
  /** Keeps concurrency numbers apart from those of other managers on this host. Default: there are no others. */
  readonly numberClaims?: NumberClaims;
  readonly graces?: RequestGraces;
}

export type ManagerEnd =
  /** All jobs ended and were reported. */
  | { readonly kind: 'clean' }
  /** Jobs did not end within the shutdown timeout. */
  | { readonly kind: 'timed_out' }
  /** Nothing can be served (jobs of an earlier manager could not be taken up, a bug). */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** A second signal: nothing was waited for. */
  | { readonly kind: 'forced'; readonly signalName: string };

/** Serves all runners of one configuration. */
export interface RunnerManager {
  /** Never rejects. */
  readonly done: Promise<ManagerEnd>;
  readonly state: ManagerState;
  /** Stops asking for jobs and waits without limit for those that run (SIGQUIT). */
  drain(signalName: string): void;
  /** Aborts running jobs (SIGTERM, SIGINT); called again, gives up waiting. */
  stop(signalName: string): void;
}

const KEEP_ALIVE_MS = 2_147_483_647;

/** @throws ConfigError when the configuration cannot be served. */
export function startRunnerManager(options: RunnerManagerOptions): RunnerManager {
  const { config } = options;
  if (config.concurrent < 1) {
    throw new ConfigError(`concurrent is ${config.concurrent}, it must be at least 1`, {
      hint: 'Set `concurrent` in config.toml to the number of jobs that may run at once.',
    });
  }
  return new Manager(options);
}

class Manager implements RunnerManager {
  readonly done: Promise<ManagerEnd>;
  readonly #options: RunnerManagerOptions;
  readonly #polling = new AbortController();
  readonly #slots: SlotTable;
  readonly #ids: ConcurrencyIdAllocator;
  readonly #jobs: JobSupervisor;
  readonly #usageOf = createTokenUsages();
  readonly #ended = Promise.withResolvers<ManagerEnd>();
  /** Bounds everything that is waited for after a forceful stop. */
  readonly #patience = new AbortController();
  #state: ManagerState = 'starting';

  constructor(options: RunnerManagerOptions) {
    this.#options = options;
    this.#ids = createConcurrencyIdAllocator(options.numberClaims);
    this.#slots = createSlotTable(options.config.concurrent, options.clock);
    this.#jobs = createJobSupervisor({ ids: this.#ids, runJob: options.runJob, logger: options.logger });
    this.done = this.#ended.promise;
    void this.#live();
  }

  get state(): ManagerState {
    return this.#state;
  }

  drain(signalName: string): void {
    this.#act(this.#apply('drain'), signalName);
  }

  stop(signalName: string): void {
    this.#act(this.#apply('stop'), signalName);
  }

  /** From recovery to the last job. */
  async #live(): Promise<void> {
    const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
    try {
      await this.#recover();
      this.#apply('started');
      await this.#pollUntilStopped();
      await this.#jobs.idle(this.#patience.signal);
      this.#options.logger.info('All workers stopped.');
      await this.#shutDownProviders();
      this.#finish({ kind: 'clean' });
    } catch (error) {
      this.#finish(this.#patience.signal.aborted ? { kind: 'timed_out' } : { kind: 'failed', error });
    } finally {
      clearInterval(keepAlive);
      this.#options.clients.close();
    }
  }

  async #recover(): Promise<void> {
    const { config, recover } = this.#options;
    const adopted = (await recover?.(config.runners, this.#patience.signal)) ?? [];
    for (const job of adopted) this.#jobs.adopt(job, this.#usageOf(job.runnerToken), this.#slots.occupy());
  }

  async #pollUntilStopped(): Promise<void> {
    const { runners, checkIntervalMs } = this.#options.config;
    const { signal } = this.#polling;
    const loops = runners
      .filter((runner) => runner.token.trim() !== '' && runner.url !== '')
      .map((runner, index) => this.#superviseLoop(runner, index, (checkIntervalMs * index) / runners.length));
    await Promise.all(loops);
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  /** A loop that fails by a bug of ours is started again; the others never notice. */
  async #superviseLoop(runner: RunnerConfig, index: number, phaseMs: number): Promise<void> {
    const { clock, config, canTakeJobs = () => true } = this.#options;
    const { signal } = this.#polling;
    const usage = this.#usageOf(runner.token);
    const { checkIntervalMs } = config;
    while (!signal.aborted) {
      try {
        const polled = this.#polledRunner(runner, index, usage);
        await runRunnerLoop(polled, { clock, checkIntervalMs, phaseMs, canTakeJobs }, signal);
      } catch (error) {
        this.#options.logger.error('Serving a runner failed unexpectedly; trying again', {
          runner: shortToken(runner.token),
          error: errorMessage(error),
        });
        await clock.sleep(checkIntervalMs, signal).catch(() => {});
      }
    }
  }

  #polledRunner(runner: RunnerConfig, index: number, usage: TokenUsage): PolledRunner {
    const { providers, clients, clock, host } = this.#options;
    const logger = this.#options.logger.child({ runner: shortToken(runner.token), runner_name: runner.name });
    const provider = providers.get(runner.executor);
    const isAdaptive = runner.featureFlags['FF_USE_ADAPTIVE_REQUEST_CONCURRENCY'] ?? true;
    return {
      runner,
      key: String(index),
      provider,
      info: infoOf(runner, provider, host),
      client: () => clients.clientFor(runner),
      slots: this.#slots,
      usage,
      requestLimit: createRequestLimit(runner.requestConcurrency, isAdaptive),
      health: createRunnerHealth({
        id: `${runner.url}${shortToken(runner.token)}`,
        limit: runner.unhealthyRequestsLimit,
        intervalMs: runner.unhealthyIntervalMs,
        clock,
        logger,
      }),
      jobs: this.#jobs,
      graces: this.#options.graces ?? defaultRequestGraces,
      logger,
    };
  }

  async #shutDownProviders(): Promise<void> {
    const { providers, logger, config } = this.#options;
    logger.info('Shutting down executor providers');
    const limit = new AbortController();
    const excess = new AbortReason('aborted', 'executor providers shutdown timeout exceeded');
    const timer = setTimeout(() => limit.abort(excess), config.shutdownTimeoutMs);
    const shutdowns = [...new Set(providers.values())].map((provider) => provider.shutdown(limit.signal));
    const results = await Promise.allSettled(shutdowns);
    clearTimeout(timer);
    for (const result of results) {
      if (result.status === 'rejected') {
        logger.error('Shutting down an executor provider failed', { error: errorMessage(result.reason) });
      }
    }
    if (limit.signal.aborted) logger.warn('Executor providers shutdown timeout exceeded');
    else logger.info('All executor providers shut down.');
    logger.info('Can exit now!');
  }

  #apply(event: ManagerEvent): ManagerAction {
    const next = transition(this.#state, event);
    this.#state = next.state;
    return next.action;
  }

  #act(action: ManagerAction, signalName: string): void {
    const { logger } = this.#options;
    switch (action) {
      case 'none':
        return;
      case 'begin_drain':
        logger.warn('[runWait] received stop signal', { StopSignal: signalName });
        logger.warn('Starting graceful shutdown, waiting for builds to finish', { StopSignal: signalName });
        return this.#stopPolling();
      case 'repeat_drain':
        return logger.warn('Starting graceful shutdown, waiting for builds to finish', { StopSignal: signalName });
      case 'abort_jobs':
        return this.#abortJobs(signalName);
      case 'exit_now':
        logger.warn(`forced exit with stop signal: ${signalName}`);
        return this.#ended.resolve({ kind: 'forced', signalName });
    }
  }

  #stopPolling(): void {
    const reason = new AbortReason('finished', 'the runner manager stops');
    this.#polling.abort(reason);
    this.#slots.abortRequests(reason);
    for (const provider of this.#options.providers.values()) provider.noMoreJobs?.();
  }

  #abortJobs(signalName: string): void {
    const { logger, config } = this.#options;
    if (!this.#polling.signal.aborted) {
      logger.warn('Graceful shutdown was not used (SIGQUIT): running jobs are aborted', { StopSignal: signalName });
    }
    logger.warn('Starting forceful shutdown', {
      StopSignal: signalName,
      'shutdown-timeout': `${config.shutdownTimeoutMs / 1000}s`,
    });
    this.#stopPolling();
    this.#jobs.interruptAll(new AbortReason('interrupted', `aborted: ${signalName}`));
    const timer = setTimeout(
      () => this.#patience.abort(new AbortReason('aborted', 'shutdown timed out')),
      config.shutdownTimeoutMs,
    );
    void this.done.then(() => clearTimeout(timer));
  }

  #finish(end: ManagerEnd): void {
    this.#apply('finished');
    this.#ended.resolve(end);
  }
}

function infoOf(runner: RunnerConfig, provider: ExecutorProvider | undefined, host: HostPlatform): RunnerInfo {
  const traits = provider?.traits(runner);
  return runnerInfo({
    host,
    labels: runner.labels,
    executor: {
      name: runner.executor,
      shell: runner.shell === '' ? (traits?.defaultShell ?? '') : runner.shell,
      features: traits?.features ?? [],
    },
  });
}
