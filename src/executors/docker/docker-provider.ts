import type { Clock } from '../../lib/clock.ts';
import { JobConfigurationError } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ExecutorTraits } from '../../plan/executor-traits.ts';
import type { ExecutorProvider } from '../port.ts';
import { isBuildFolderMounted } from './container/volume-plan.ts';
import type { DockerState } from './docker-lease.ts';
import type { EndingTimes } from './stage/end-container.ts';

type Runner = Parameters<ExecutorProvider['acquire']>[0];

export interface DockerProviderOptions {
  /** Of the manager: DOCKER_HOST and its companions, where the configuration names no daemon. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `process.platform` and `process.arch` */
  readonly platform: string;
  readonly architecture: string;
  /** Program and leading arguments that start this program: the helper image is made of it. */
  readonly selfCommand: readonly string[];
  /** Of this program. */
  readonly version: string;
  readonly workingDirectory: string;
  /** Name of the manager's host, for `Running on … via …`. */
  readonly hostName: string;
  /** Random name of the state folder; things at the daemon carry it. */
  readonly instance: () => string;
  /** Whether the journal of the state folder has a job, by the name of its folder. */
  readonly hasJob: (jobFolder: string) => boolean;
  /** Where it is noted which images and cache volumes jobs use, for the disk care. */
  readonly usageFile: () => string;
  readonly logger: () => Logger;
  readonly clock: Clock;
  readonly times?: EndingTimes;
}

/** Runs jobs in containers of a Docker daemon (spec docker.md). What it takes is loaded with the first job request. */
export function createDockerProvider(options: DockerProviderOptions): ExecutorProvider {
  let state: Promise<DockerState> | undefined;
  return {
    traits: (runner) => dockerTraits(runner, options.hostName),
    acquire: async (runner) => {
      state ??= import('./docker-lease.ts').then(({ createDockerState }) => createDockerState(options));
      return (await state).createLease(runner);
    },
    shutdown: async (signal) => {
      await (await state)?.close(signal);
    },
  };
}

const dockerFeatures = [
  'variables',
  'image',
  'services',
  'image_executor_opts',
  'service_executor_opts',
  'service_variables',
  'service_multiple_aliases',
] as const;

function dockerTraits(runner: Runner, runnerHost: string): ExecutorTraits {
  const root = runner.buildsDir === '' ? '/builds' : runner.buildsDir;
  return {
    name: 'docker',
    // Only what works is announced: terminals and native steps come with their own issues.
    features: dockerFeatures,
    defaultShell: 'bash',
    loginShell: false,
    defaultBuildsDir: '/builds',
    defaultCacheDir: '/cache',
    sharedBuildsDir: isShared(root, runner),
    customBuildDirByDefault: true,
    safeDirectoryByDefault: true,
    cleanGitConfigByDefault: true,
    helperCommand: ['/usr/bin/gitlab-runner-helper'],
    runnerHost,
    sharedEnvironment: false,
    operatingSystem: 'unix',
  };
}

/** An entry that cannot be understood is said when the job is prepared. */
function isShared(root: string, runner: Runner): boolean {
  try {
    return isBuildFolderMounted(root, runner.docker?.volumes ?? []);
  } catch (error) {
    if (error instanceof JobConfigurationError) return false;
    throw error;
  }
}
