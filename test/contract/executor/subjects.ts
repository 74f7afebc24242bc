import { createDummyProvider } from '../../../src/executors/dummy/dummy-provider.ts';
import { createShellProvider } from '../../../src/executors/shell/shell-provider.ts';
import { defaultOutputLimits } from '../../../src/executors/shell/supervisor-script.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { dockerSubject } from './docker-subject.ts';
import { newScratchFolder } from './scratch-folder.ts';
import type { ExecutorSubject } from './subject.ts';

/** Short enough for tests, long enough that a handler of SIGTERM gets its turn. */
export const shellTimes = { terminationGraceMs: 2000, leftoverGraceMs: 1000 };

export const shellSubject: ExecutorSubject = {
  name: 'shell',
  createProvider: () =>
    createShellProvider({
      environment: process.env,
      workingDirectory: process.cwd(),
      helperCommand: ['helper'],
      clock: systemClock(),
      scratchFolder: newScratchFolder,
      times: shellTimes,
      limits: { ...defaultOutputLimits, readsPerSegment: 16 },
    }),
  express: ({ stdout = '', stderr = '', sleepMs = 0, exitCode = 0 }) => ({
    script: `printf %s '${stdout}'\nprintf %s '${stderr}' >&2\nsleep ${sleepMs / 1000}\nexit ${exitCode}\n`,
    variables: {},
  }),
  skips: {},
};

export const dummySubject: ExecutorSubject = {
  name: 'dummy',
  createProvider: () => createDummyProvider({ clock: systemClock() }),
  express: ({ stdout = '', stderr = '', sleepMs = 0, exitCode = 0 }) => ({
    script: 'not looked at',
    variables: {
      DUMMY_OUTPUT: stdout,
      DUMMY_ERROR_OUTPUT: stderr,
      DUMMY_SLEEP_MS: String(sleepMs),
      DUMMY_EXIT_CODE: String(exitCode),
    },
  }),
  skips: {
    scripts: 'the dummy executor does not look at scripts',
    processes: 'the dummy executor starts no process',
  },
};

export const subjects = { shell: shellSubject, dummy: dummySubject, docker: dockerSubject };
