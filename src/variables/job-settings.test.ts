import { describe, expect, it } from 'vitest';
import { readJobSettings } from './job-settings.ts';
import { readBoolean } from './parse-boolean.ts';

function settings(values: Readonly<Record<string, string>>, context = {}) {
  return readJobSettings((key) => values[key], {
    allowGitFetch: true,
    depth: 20,
    debugTraceDisabled: false,
    ...context,
  });
}

describe('job settings', () => {
  it('have defaults', () => {
    expect(settings({})).toMatchObject({
      debugTrace: false,
      gitStrategy: 'fetch',
      gitCheckout: true,
      submodules: { strategy: 'none', depth: 20, paths: [] },
      gitCleanFlags: ['-ffdx'],
      gitFetchExtraFlags: ['--prune', '--quiet'],
      attempts: { getSources: 1 },
      afterScriptIgnoresErrors: true,
      cacheRequestTimeoutMinutes: 10,
      problems: [],
    });
    expect(settings({}, { allowGitFetch: false }).gitStrategy).toBe('clone');
  });

  it('read what the job says', () => {
    expect(
      settings({
        GIT_STRATEGY: 'empty',
        GIT_CHECKOUT: 'true',
        GIT_SUBMODULE_STRATEGY: 'recursive',
        GIT_CLEAN_FLAGS: 'none',
        GIT_FETCH_EXTRA_FLAGS: ' --tags  -j4 ',
        GIT_SUBMODULE_PATHS: ':(exclude)a b',
        CACHE_REQUEST_TIMEOUT: '3',
      }),
    ).toMatchObject({
      gitStrategy: 'empty',
      gitCheckout: false,
      submodules: { strategy: 'none', paths: [':(exclude)a', 'b'] },
      gitCleanFlags: undefined,
      gitFetchExtraFlags: ['--tags', '-j4'],
      cacheRequestTimeoutMinutes: 3,
    });
  });

  it('say what is wrong and go on with the default', () => {
    const { problems, attempts, submodules } = settings({
      GIT_STRATEGY: 'fetsch',
      GIT_CHECKOUT: 'yes',
      GET_SOURCES_ATTEMPTS: '11',
      RESTORE_CACHE_ATTEMPTS: 'many',
      GIT_SUBMODULE_STRATEGY: 'deep',
    });
    expect(problems).toEqual([
      `GIT_STRATEGY: expected either 'clone', 'fetch', 'none' or 'empty' got "fetsch", using default value 'fetch'`,
      'GIT_CHECKOUT: expected bool got "yes", using default value: true',
      expect.stringContaining('GIT_SUBMODULE_STRATEGY: expected'),
      'GET_SOURCES_ATTEMPTS: number of attempts out of the range [1, 10], clamping to: 10',
      'RESTORE_CACHE_ATTEMPTS: expected int got "many", using default value: 1',
    ]);
    expect(attempts).toMatchObject({ getSources: 10, restoreCache: 1 });
    expect(submodules.strategy).toBe('invalid');
  });

  it('do not let a job debug where the runner forbids it', () => {
    const { debugTrace, debugServices, problems } = settings(
      { CI_DEBUG_TRACE: 'true', CI_DEBUG_SERVICES: 'true' },
      { debugTraceDisabled: true },
    );
    expect([debugTrace, debugServices]).toEqual([false, false]);
    expect(problems[0]).toBe('CI_DEBUG_TRACE: usage is disabled on this Runner');
  });
});

describe('readBoolean', () => {
  it.each([
    ['true', true],
    ['TRUE', true],
    ['t', true],
    ['1', true],
    ['01', true],
    ['2', false],
    ['-1', false],
    ['yes', false],
    ['', false],
    ['0', false],
  ])('%s is %s', (text, expected) => {
    expect(readBoolean(text)).toBe(expected);
  });
});
