import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDockerProvider } from '../../../src/executors/docker/docker-provider.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { dockerHost } from '../../support/docker-daemon.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import type { ExecutorSubject } from './subject.ts';

/** Short enough for tests, long enough that a handler of SIGTERM gets its turn. */
export const dockerTimes = { graceSeconds: 2, removalMs: 20_000 };

export const dockerSubject: ExecutorSubject = {
  name: 'docker',
  createProvider: () =>
    createDockerProvider({
      environment: { ...process.env, DOCKER_HOST: dockerHost() },
      platform: process.platform,
      architecture: process.arch,
      selfCommand: [],
      version: '0.0.0',
      workingDirectory: process.cwd(),
      hostName: 'test',
      instance: () => 'contract-tests',
      hasJob: () => true,
      usageFile: () => join(tmpdir(), `millrace-docker-usage-${process.pid}.json`),
      clock: systemClock(),
      logger: () => recordingLogger().logger,
      times: dockerTimes,
    }),
  exitWords: 'exit code',
  express: ({ stdout = '', stderr = '', sleepMs = 0, exitCode = 0 }) => ({
    script: `cat <<'EOT' | head -c ${Buffer.byteLength(stdout)}\n${stdout}\nEOT\nprintf %s '${stderr}' >&2\nsleep ${sleepMs / 1000}\nexit ${exitCode}\n`,
    variables: {},
  }),
  skips: {
    scripts: 'a script is the first process of its container: test/contract/executor/docker-scripts.test.ts',
    processes: "the processes of a container are not the host's: test/contract/executor/docker-scripts.test.ts",
  },
};
