import type { Scenario } from '../scenario.ts';

/** Waits until it is stopped. A job that writes is told sooner that it is canceled. */
const tick = 'while sleep 0.5; do echo tick; done';

/** Timeouts, cancel, abort. */
export const stopScenarios: readonly Scenario[] = [
  {
    name: 'script timeout',
    jobs: [
      {
        script: ['echo started', 'sleep 100'],
        afterScript: ['echo "after $CI_JOB_STATUS"'],
        variables: { RUNNER_SCRIPT_TIMEOUT: '2s' },
      },
    ],
  },
  {
    name: 'after_script timeout',
    shows: ['afterScriptTimeout'],
    jobs: [
      { script: ['true'], afterScript: ['echo after', 'sleep 100'], variables: { RUNNER_AFTER_SCRIPT_TIMEOUT: '2s' } },
    ],
  },
  {
    name: 'after_script timeout that counts',
    shows: ['afterScriptTimeout'],
    jobs: [
      {
        script: ['true'],
        afterScript: ['sleep 100'],
        variables: { RUNNER_AFTER_SCRIPT_TIMEOUT: '2s', AFTER_SCRIPT_IGNORE_ERRORS: 'false' },
      },
    ],
  },
  {
    name: 'job timeout',
    shows: ['filesAfterStop'],
    jobs: [{ script: ['echo started', 'sleep 100'], afterScript: ['echo never'], timeoutSeconds: 4 }],
  },
  {
    name: 'job timeout in after_script',
    shows: ['filesAfterStop'],
    jobs: [{ script: ['true'], afterScript: ['echo after', 'sleep 100'], timeoutSeconds: 5 }],
  },
  {
    name: 'timeouts that make no sense',
    jobs: [{ script: ['true'], variables: { RUNNER_SCRIPT_TIMEOUT: 'soon', RUNNER_AFTER_SCRIPT_TIMEOUT: '-3m' } }],
  },
  {
    name: 'timeouts longer than the job',
    jobs: [
      {
        script: ['true'],
        afterScript: ['true'],
        variables: { RUNNER_SCRIPT_TIMEOUT: '3h', RUNNER_AFTER_SCRIPT_TIMEOUT: '2h30m' },
        timeoutSeconds: 3600,
      },
    ],
  },
  {
    name: 'a script that ends in time',
    jobs: [{ script: ['sleep 0.2'], variables: { RUNNER_SCRIPT_TIMEOUT: '1m', RUNNER_AFTER_SCRIPT_TIMEOUT: '0' } }],
  },
  {
    name: 'cancel in the script',
    jobs: [
      {
        script: ['echo started', tick, 'echo never'],
        afterScript: ['echo "after $CI_JOB_STATUS"'],
        stop: { how: 'cancel', after: 'started' },
      },
    ],
  },
  {
    name: 'cancel before the script',
    shows: ['filesAfterStop'],
    jobs: [
      {
        sources: 'plain',
        script: ['echo never'],
        afterScript: ['echo never'],
        payload: { hooks: [{ name: 'pre_get_sources_script', script: ['echo waiting', tick] }] },
        stop: { how: 'cancel', after: 'waiting' },
      },
    ],
  },
  {
    name: 'cancel in after_script',
    jobs: [
      {
        script: ['true'],
        afterScript: ['echo after', 'sleep 6', 'echo "end of after"'],
        stop: { how: 'cancel', after: 'after' },
      },
    ],
  },
  {
    name: 'abort in the script',
    shows: ['filesAfterStop'],
    jobs: [
      {
        script: ['echo started', 'sleep 100'],
        afterScript: ['echo never'],
        stop: { how: 'abort', after: 'started' },
      },
    ],
  },
  {
    name: 'cancel keeps cache and artifacts of failed jobs',
    jobs: [
      {
        script: ['echo content > kept', 'echo started', tick],
        payload: {
          cache: [{ key: 'k', paths: ['kept'], when: 'always' }],
          artifacts: [{ paths: ['kept'], when: 'always', artifact_type: 'archive', artifact_format: 'zip' }],
        },
        stop: { how: 'cancel', after: 'started' },
      },
    ],
  },
  {
    name: 'a script that minds SIGTERM',
    jobs: [
      {
        script: ['trap \'echo "told to stop"; exit 0\' TERM', 'echo started', tick],
        afterScript: ['echo "after $CI_JOB_STATUS"'],
        stop: { how: 'cancel', after: 'started' },
      },
    ],
  },
];
