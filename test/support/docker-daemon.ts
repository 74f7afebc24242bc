import { spawnSync } from 'node:child_process';

/** Address of the daemon for tests: MILLRACE_TEST_DOCKER, or what the docker program would use. */
export function dockerHost(): string {
  return process.env['MILLRACE_TEST_DOCKER'] ?? process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
}

/** Runs the docker program against that daemon. @throws with what it printed */
export function docker(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', ['-H', dockerHost(), ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/**
 * Whether there is a daemon with the images of the tests (`busybox:test`, `debian:test`).
 * @throws where everything is required (MILLRACE_REQUIRE_ALL) and there is none
 */
export function hasDocker(): boolean {
  const { status } = spawnSync('docker', ['-H', dockerHost(), 'image', 'inspect', 'busybox:test', 'debian:test'], {
    stdio: 'ignore',
  });
  if (status === 0) return true;
  if (process.env['MILLRACE_REQUIRE_ALL'] === '1') {
    throw new Error('required here, but missing: a Docker daemon with the images of the tests (MILLRACE_TEST_DOCKER)');
  }
  return false;
}
