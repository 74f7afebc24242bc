import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { docker, dockerHost } from './docker-daemon.ts';
import { millrace, type RunnerBench, type RunnerProcess } from './runner-bench.ts';

const program = fileURLToPath(new URL('../../dist/millrace', import.meta.url));

/** Debian with git, and our program as the helper. */
export const helperImage = `millrace-test-helper:${process.pid}`;

export function makeHelperImage(): void {
  const container = docker('create', 'debian:test', 'true').trim();
  docker('cp', program, `${container}:/usr/bin/gitlab-runner-helper`);
  docker('commit', container, helperImage);
  docker('rm', container);
}

export function removeHelperImage(): void {
  docker('rmi', '-f', helperImage);
}

/** @param lines more of `[runners.docker]`; @param name the same for a manager that takes over another one's jobs */
export function startDockerRunner(
  bench: RunnerBench,
  lines: readonly string[] = [],
  name = 'docker',
  runnerLines: readonly string[] = [],
): RunnerProcess {
  return bench.startRunner(millrace(), {
    name,
    executor: 'docker',
    environment: { DOCKER_HOST: dockerHost() },
    runnerLines: [
      ...runnerLines,
      '[runners.docker]',
      'image = "busybox:test"',
      `helper_image = "${helperImage}"`,
      'pull_policy = "if-not-present"',
      ...lines,
    ],
  });
}

/**
 * Ends a bench, and removes the volumes that later jobs would use again.
 * @returns what its managers left at the daemon, which should be nothing
 */
export async function closeDockerBench(bench: RunnerBench): Promise<readonly string[]> {
  const instances = readdirSync(bench.folder)
    .map((name) => join(bench.folder, name, 'state', 'instance'))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'));
  await bench.close();
  return instances.flatMap((instance) => {
    const left = ['ps -aq', 'volume ls -q', 'network ls -q'].flatMap((command) =>
      list(command, instance, 'label=io.millrace.job-folder'),
    );
    for (const volume of list('volume ls -q', instance, 'label=com.gitlab.gitlab-runner.reusable=true')) {
      docker('volume', 'rm', volume);
    }
    return left;
  });
}

function list(command: string, instance: string, filter: string): readonly string[] {
  return docker(...command.split(' '), '--filter', `label=io.millrace.instance=${instance}`, '--filter', filter)
    .split('\n')
    .filter((line) => line !== '');
}
