import type { Scenario } from '../scenario.ts';

const odd = 'a "b" \'c\' $d `e` \\f\n\tg; h & i | j (k) {l} [m] * ? ~ ! # % ^ = é €';

/** How variables reach the scripts. */
export const variableScenarios: readonly Scenario[] = [
  {
    name: 'two jobs of a project at once',
    together: true,
    jobs: ['1', '2'].map((number) => ({
      script: [
        'mkdir -p "$CI_BUILDS_DIR/both" && touch "$CI_BUILDS_DIR/both/$NUMBER"',
        'until [ -e "$CI_BUILDS_DIR/both/1" ] && [ -e "$CI_BUILDS_DIR/both/2" ]; do sleep 0.1; done',
        'echo "$CI_CONCURRENT_PROJECT_ID in $CI_PROJECT_DIR"',
      ],
      variables: { NUMBER: number },
    })),
  },
  {
    name: 'odd values',
    jobs: [
      {
        script: ['printf "%s" "$ODD" | od -c', 'printf "<%s>\\n" "$EMPTY" "$BLANKS" "$NEWLINE"'],
        moreVariables: [
          { key: 'ODD', value: odd, raw: true },
          { key: 'EMPTY', value: '' },
          { key: 'BLANKS', value: '  two  ' },
          { key: 'NEWLINE', value: 'ends\n' },
        ],
      },
    ],
  },
  {
    name: 'references',
    jobs: [
      {
        script: ['for name in A B C D E F G H I; do echo "$name=${!name}"; done'],
        moreVariables: [
          { key: 'A', value: 'a' },
          { key: 'B', value: '$A ${A} $$A ${NONE} $NONE. $' },
          { key: 'C', value: '$B' },
          { key: 'D', value: '$A', raw: true },
          { key: 'E', value: '${A:-b} $5x $? $* ${} ${A' },
          { key: 'F', value: '%A% $FILE' },
          { key: 'FILE', value: 'content', file: true },
          { key: 'G', value: '$G:more' },
          { key: 'H', value: 'in $CI_PROJECT_DIR of $CI_SERVER' },
          { key: 'I', value: '$A_B-$A-B' },
          { key: 'A', value: 'later' },
        ],
      },
    ],
  },
  {
    name: 'file variables',
    jobs: [
      {
        script: [
          'ls -l "$KEY_FILE" | cut -c1-10',
          'od -c "$KEY_FILE"',
          'echo "${KEY_FILE##*/}" "$POINTER" | sed "s,$CI_PROJECT_DIR,DIR,g"',
          'cat "$MASKED_FILE"',
        ],
        afterScript: ['cat "$MASKED_FILE"', 'rm -f "$KEY_FILE"'],
        moreVariables: [
          { key: 'KEY_FILE', value: 'line 1\nline 2 $REF "q" \\\n', file: true },
          { key: 'REF', value: 'referenced' },
          { key: 'POINTER', value: '$KEY_FILE' },
          { key: 'MASKED_FILE', value: 'masked-content', file: true, masked: true },
        ],
      },
    ],
  },
  {
    name: 'GITLAB_ENV',
    jobs: [
      {
        script: [
          'echo "${GITLAB_ENV##*/}"',
          'echo "HANDED=on" >> "$GITLAB_ENV"',
          'echo "WITH_EQUALS=a=b=c" >> "$GITLAB_ENV"',
          'echo \'QUOTED="x y" $HOME\' >> "$GITLAB_ENV"',
          'echo "CI_JOB_STATUS=mine" >> "$GITLAB_ENV"',
        ],
        afterScript: ['echo "$HANDED|$WITH_EQUALS|$QUOTED|$CI_JOB_STATUS"'],
      },
      { script: ['echo "${HANDED:-gone}"', 'cat "$GITLAB_ENV"'] },
    ],
  },
  {
    name: 'predefined variables',
    jobs: [
      {
        script: [
          'for name in CI_SERVER CI_JOB_STATUS CI_JOB_TIMEOUT CI_CONCURRENT_PROJECT_ID CI_SHARED_ENVIRONMENT CI_DISPOSABLE_ENVIRONMENT CI_RUNNER_EXECUTABLE_ARCH CI_JOB_IMAGE CI_BUILDS_DIR CI_PROJECT_DIR RUNNER_TEMP_PROJECT_DIR GITLAB_ENV CI_BUILD_NETWORK_NAME FF_TEST_FEATURE FF_USE_DIRECT_DOWNLOAD GIT_TERMINAL_PROMPT GIT_LFS_SKIP_SMUDGE; do echo "$name=${!name-unset}"; done',
          'test "$CI_RUNNER_SHORT_TOKEN" = "$(basename "$(dirname "$(dirname "$(dirname "$CI_PROJECT_DIR")")")")" && echo "short token fits"',
        ],
        timeoutSeconds: 1234,
      },
    ],
  },
  {
    name: 'overridden variables',
    jobs: [
      {
        script: ['echo "$CI_SERVER $CI_JOB_TIMEOUT $CI_RUNNER_EXECUTABLE_ARCH $CI_SHARED_ENVIRONMENT $CI_JOB_STATUS"'],
        variables: {
          CI_SERVER: 'mine',
          CI_JOB_TIMEOUT: '1',
          CI_RUNNER_EXECUTABLE_ARCH: 'mine',
          CI_SHARED_ENVIRONMENT: 'mine',
          CI_JOB_STATUS: 'mine',
        },
        afterScript: ['echo "$CI_JOB_STATUS"'],
      },
    ],
  },
  {
    name: 'environment of the config',
    runner: 'hooked',
    jobs: [
      {
        script: ['echo "$FROM_CONFIG|$OVERRIDDEN|$WITH_REFERENCE|${BROKEN-unset}"'],
        variables: { OVERRIDDEN: 'by job', FROM_JOB: 'job value' },
      },
    ],
  },
  {
    name: 'the same variable twice',
    jobs: [
      {
        script: ['echo "$TWICE"', 'env | grep -c ^TWICE='],
        moreVariables: [
          { key: 'TWICE', value: 'first' },
          { key: 'TWICE', value: 'second' },
        ],
      },
    ],
  },
  {
    name: 'the environment of the manager',
    jobs: [
      {
        script: [
          '[ -e "$HOME/config.toml" ] && echo "the home of the manager"',
          'echo "${PWD##*/}"',
          'shopt -q login_shell && echo login',
          'echo "$-" | tr -d i',
          'umask',
          'set -o | grep -E "pipefail|errexit|noclobber"',
        ],
      },
    ],
  },
];
