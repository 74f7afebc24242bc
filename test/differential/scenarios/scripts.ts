import type { Scenario } from '../scenario.ts';

/** Scripts, after_script and how they end. */
export const scriptScenarios: readonly Scenario[] = [
  { name: 'success', jobs: [{ script: ['echo hello', 'pwd', 'echo "$CI_JOB_STATUS in $CI_PROJECT_DIR"'] }] },
  { name: 'exit with a code', jobs: [{ script: ['echo before', 'exit 42', 'echo never'] }] },
  { name: 'exit 0 ends the script only', jobs: [{ script: ['exit 0', 'echo never'], afterScript: ['echo after'] }] },
  { name: 'a failing command', jobs: [{ script: ['bash -c "exit 7"', 'echo never'] }] },
  { name: 'an unknown command', jobs: [{ script: ['no-such-command --here', 'echo never'] }] },
  { name: 'a failing pipeline', jobs: [{ script: ['bash -c "exit 3" | cat', 'echo never'] }] },
  { name: 'set +e', jobs: [{ script: ['set +e', 'false', 'echo still here', 'true'] }] },
  { name: 'set +e and a failing end', jobs: [{ script: ['set +e', 'echo here', 'bash -c "exit 9"'] }] },
  { name: 'a syntax error', jobs: [{ script: ['echo before', 'if true; then'] }] },
  { name: 'killed by a signal', jobs: [{ script: ["bash -c 'kill -KILL $$'"] }] },
  { name: 'the shell itself is killed', shows: ['killedShell'], jobs: [{ script: ['kill -KILL $BASHPID'] }] },
  {
    name: 'state lasts from command to command',
    jobs: [{ script: ['cd /', 'x=kept', 'f() { echo "f $x"; }', 'pwd; f', 'echo "status $?"'] }],
  },
  {
    name: 'after_script in a shell of its own',
    jobs: [
      {
        script: ['export SEEN=1', 'cd /', 'echo file > "$CI_PROJECT_DIR/file"'],
        afterScript: ['echo "seen ${SEEN:-not}; $CI_JOB_STATUS"', 'pwd; cat file'],
      },
    ],
  },
  { name: 'after_script fails', jobs: [{ script: ['true'], afterScript: ['echo after', 'exit 5', 'echo never'] }] },
  {
    name: 'after_script fails and that counts',
    jobs: [{ script: ['true'], afterScript: ['exit 5'], variables: { AFTER_SCRIPT_IGNORE_ERRORS: 'false' } }],
  },
  {
    name: 'after_script after a failure',
    jobs: [{ script: ['exit 4'], afterScript: ['echo "$CI_JOB_STATUS"'] }],
  },
  {
    name: 'both fail and the first counts',
    jobs: [{ script: ['exit 4'], afterScript: ['exit 5'], variables: { AFTER_SCRIPT_IGNORE_ERRORS: 'false' } }],
  },
  {
    name: 'several lines in a command',
    jobs: [{ script: ['echo one\necho two\n', '  \n if true; then\n  echo three\n fi  '] }],
  },
  { name: 'empty commands', jobs: [{ script: ['', 'echo one', '   ', '\n\n', 'echo two'] }] },
  { name: 'no commands at all', jobs: [{ script: [] }] },
  {
    name: 'here documents and quotes',
    jobs: [
      {
        script: [
          'cat <<EOF\nvalue $((1+1)) `echo x` \'single\' "double" \\\\\nEOF',
          `echo 'it'"'"'s' "a\tb"`,
          "printf '%s|' a\\ b *.none",
        ],
      },
    ],
  },
  {
    name: 'a script section for several lines',
    jobs: [
      {
        script: ['echo one\necho two', 'echo single'],
        afterScript: ['echo a\necho b'],
        variables: { FF_SCRIPT_SECTIONS: 'true' },
      },
    ],
  },
  {
    name: 'sections without the feature',
    jobs: [
      {
        script: ['echo one\necho two'],
        variables: { FF_SCRIPT_SECTIONS: 'true' },
        payload: { features: { trace_sections: false, failure_reasons: [] } },
      },
    ],
  },
  {
    name: 'explicit checks of exit codes',
    jobs: [{ script: ['false && true', 'echo never'], variables: { FF_ENABLE_BASH_EXIT_CODE_CHECK: 'true' } }],
  },
  { name: 'without those checks', jobs: [{ script: ['false && true', 'echo still here'] }] },
  {
    name: 'a flag of the config wins',
    runner: 'flagged',
    jobs: [{ script: ['false && true', 'echo never'], variables: { FF_ENABLE_BASH_EXIT_CODE_CHECK: 'false' } }],
  },
  {
    name: 'the old way to evaluate',
    jobs: [
      {
        script: ['cat; echo "stdin is empty"', 'exit 6'],
        variables: { FF_USE_NEW_BASH_EVAL_STRATEGY: 'false', FF_USE_LEGACY_BASH_EVAL: 'true' },
      },
    ],
  },
  {
    name: 'the old way and a failing command',
    jobs: [
      {
        script: ['bash -c "exit 6"'],
        variables: { FF_USE_NEW_BASH_EVAL_STRATEGY: 'false', FF_USE_LEGACY_BASH_EVAL: 'true' },
      },
    ],
  },
  {
    name: 'POSIX escapes',
    jobs: [
      {
        script: [`echo "it's \\$5" 'and "quoted"' \`echo sub\``, 'printf "%s\\n" "$ODD"'],
        variables: { FF_POSIXLY_CORRECT_ESCAPES: 'true', ODD: 'a "b" $c `d` \\e' },
      },
    ],
  },
  {
    name: 'sh as the shell',
    runner: 'posix',
    jobs: [
      {
        script: ['echo "$0"', 'exit 3'],
        afterScript: ['echo "after $CI_JOB_STATUS"'],
        variables: { FF_POSIXLY_CORRECT_ESCAPES: 'true' },
      },
    ],
  },
  { name: 'standard input is empty', jobs: [{ script: ['cat', 'echo "got: $(cat)"', 'echo after'] }] },
  {
    name: 'scripts of the runner around each step',
    runner: 'hooked',
    jobs: [
      {
        script: ['echo "pre build gave $FROM_PRE_BUILD"'],
        afterScript: ['echo "here ${FROM_PRE_BUILD:-nothing}"'],
        sources: 'plain',
      },
      { script: ['exit 2'], sources: 'plain' },
    ],
  },
  {
    name: 'several steps',
    jobs: [
      {
        script: [],
        payload: {
          steps: [
            { name: 'script', script: ['echo script', 'x=1'] },
            { name: 'release', script: ['echo release $CI_JOB_STATUS "${x:-gone}"', 'false'] },
            { name: 'Third', script: ['echo never'] },
            { name: 'after_script', script: ['echo after $CI_JOB_STATUS'] },
          ],
        },
      },
    ],
  },
];
