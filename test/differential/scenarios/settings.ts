import type { Scenario } from '../scenario.ts';

/** Settings of jobs that are wrong, refused or rare. */
export const settingScenarios: readonly Scenario[] = [
  {
    name: 'an unknown git strategy',
    jobs: [{ sources: 'plain', script: ['ls'], variables: { GIT_STRATEGY: 'steal' } }],
  },
  {
    name: 'an unknown submodule strategy',
    jobs: [{ sources: 'plain', script: ['ls'], variables: { GIT_SUBMODULE_STRATEGY: 'sometimes' } }],
  },
  {
    name: 'settings of the wrong type',
    jobs: [
      {
        script: ['echo hello'],
        variables: {
          GIT_CHECKOUT: 'perhaps',
          GET_SOURCES_ATTEMPTS: 'many',
          AFTER_SCRIPT_IGNORE_ERRORS: 'x',
          CACHE_REQUEST_TIMEOUT: '1.5',
          FF_SCRIPT_SECTIONS: 'si',
          CI_DEBUG_TRACE: 'no',
        },
      },
    ],
  },
  {
    name: 'a clone path where it is allowed',
    runner: 'free',
    jobs: [
      {
        sources: 'plain',
        script: ['pwd', 'echo "$CI_PROJECT_DIR"'],
        variables: { GIT_CLONE_PATH: '$CI_BUILDS_DIR/a-clone-path-where-it-is-allowed/x' },
      },
    ],
  },
  {
    name: 'a clone path where it is not allowed',
    jobs: [{ sources: 'plain', script: ['pwd'], variables: { GIT_CLONE_PATH: '$CI_BUILDS_DIR/x' } }],
  },
  {
    name: 'a clone path outside',
    runner: 'free',
    jobs: [{ sources: 'plain', script: ['pwd'], variables: { GIT_CLONE_PATH: '/tmp/elsewhere' } }],
  },
  {
    name: 'unsupported options of the image',
    jobs: [
      {
        script: ['echo never'],
        payload: { image: { name: 'alpine', executor_opts: { docker: { platform: 'x' }, other: 1 } } },
      },
    ],
  },
  {
    name: 'an image that means nothing here',
    jobs: [
      {
        script: ['echo "$CI_JOB_IMAGE"'],
        payload: { image: { name: 'alpine:$TAG' }, services: [{ name: 'redis' }] },
        variables: { TAG: '3' },
      },
    ],
  },
  {
    name: 'no time limit',
    jobs: [{ script: ['echo "$CI_JOB_TIMEOUT"'], payload: { runner_info: {} } }],
  },
  {
    name: 'failure reasons that the server does not know',
    jobs: [
      {
        sources: 'plain',
        script: ['pwd'],
        variables: { GIT_CLONE_PATH: '/x' },
        payload: { features: { trace_sections: true, failure_reasons: [] } },
      },
    ],
  },
  {
    name: 'cleanup after the job',
    jobs: [
      {
        sources: 'plain',
        script: ['touch left.txt', 'echo changed > file.txt'],
        variables: { FF_ENABLE_JOB_CLEANUP: 'true' },
      },
      { sources: 'plain', script: ['ls'], variables: { FF_ENABLE_JOB_CLEANUP: 'true', GIT_STRATEGY: 'clone' } },
      { script: ['touch left.txt'], variables: { FF_ENABLE_JOB_CLEANUP: 'true' } },
    ],
  },
];
