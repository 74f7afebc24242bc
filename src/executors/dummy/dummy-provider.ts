import { abortReasonOf } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { PrepareError } from '../../lib/errors.ts';
import type { ExecutorTraits } from '../../plan/executor-traits.ts';
import type { Executor, ExecutorProvider, Lease } from '../port.ts';
import { createDummyExecutor } from './dummy-executor.ts';
import { environmentSwitches } from './dummy-switches.ts';

export interface DummyProviderOptions {
  readonly clock: Clock;
  readonly traits?: Partial<ExecutorTraits>;
  /** How many leases there are at once; default unlimited. */
  readonly capacity?: number;
}

/** Does nothing but what the job's DUMMY_ variables say; for tests of everything around executors. */
export function createDummyProvider(options: DummyProviderOptions): ExecutorProvider {
  const traits = { ...dummyTraits, ...options.traits };
  let leases = 0;
  let isShutDown = false;

  return {
    traits: () => traits,
    acquire: async (_runner, signal) => {
      if (isShutDown) throw new Error('a lease was asked for after shutdown');
      if (signal.aborted) throw abortReasonOf(signal);
      if (leases >= (options.capacity ?? Number.POSITIVE_INFINITY)) return undefined;
      leases += 1;
      return createDummyLease(options.clock, () => {
        leases -= 1;
      });
    },
    shutdown: async () => {
      if (leases > 0) throw new Error(`shutdown was called while ${leases} leases are out`);
      if (isShutDown) throw new Error('shutdown was called twice');
      isShutDown = true;
    },
  };
}

function createDummyLease(clock: Clock, onRelease: () => void): Lease {
  let attempts = 0;
  let isReleased = false;
  let environment: (Executor & { readonly isCleanedUp: () => boolean }) | undefined;

  function checkFree(method: string): void {
    if (isReleased) throw new Error(`${method} was called after release`);
    if (environment?.isCleanedUp() === false) throw new Error(`${method} was called before the last cleanup`);
  }

  return {
    prepare: async (plan, io, signal) => {
      checkFree('prepare');
      attempts += 1;
      const switches = environmentSwitches(plan.variables);
      if (switches.prepareMs > 0) await clock.sleep(switches.prepareMs, signal);
      if (signal.aborted) throw abortReasonOf(signal);
      io.log.print('Using Dummy executor...');
      if (attempts <= switches.failingPrepares) {
        throw new PrepareError('the dummy environment failed, as it was told to', { retryable: true });
      }
      io.recordEnvironment({ attempts });
      environment = createDummyExecutor(plan, clock);
      return environment;
    },
    recover: async (plan, _handle, _io, signal) => {
      checkFree('recover');
      if (attempts > 0) throw new Error('recover was called after prepare');
      if (signal.aborted) throw abortReasonOf(signal);
      if (environmentSwitches(plan.variables).isGone) return 'gone';
      environment = createDummyExecutor(plan, clock);
      return environment;
    },
    release: async () => {
      if (isReleased) return;
      if (environment?.isCleanedUp() === false) throw new Error('release was called before cleanup');
      isReleased = true;
      onRelease();
    },
  };
}

const dummyTraits: ExecutorTraits = {
  name: 'dummy',
  features: ['variables', 'shared'],
  defaultShell: 'bash',
  loginShell: false,
  defaultBuildsDir: '/dummy/builds',
  defaultCacheDir: '/dummy/cache',
  sharedBuildsDir: false,
  customBuildDirByDefault: true,
  safeDirectoryByDefault: true,
  cleanGitConfigByDefault: true,
  helperCommand: ['dummy-helper'],
  runnerHost: '',
  sharedEnvironment: false,
  operatingSystem: 'unix',
};
