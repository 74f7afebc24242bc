import type { Scenario } from '../scenario.ts';

/** What few scripts do, and what a runner that writes into their shell could break. */
export const rareScriptScenarios: readonly Scenario[] = [
  {
    name: 'variables that shells read',
    jobs: [
      {
        script: [
          'echo "$HOME|$IFS|$CDPATH|$PS4|$LANG"',
          'x="a,b"; printf "<%s>" $x; echo',
          'cd .',
          'set -x; true; set +x',
          'echo "${PATH%%:*}"',
        ],
        afterScript: ['echo "$HOME"'],
        variables: {
          HOME: '/nonexistent',
          IFS: ',',
          CDPATH: '/',
          PS4: 'trace ',
          LANG: 'C',
          PATH: '/first:/usr/bin:/bin',
        },
      },
    ],
  },
  {
    name: 'BASH_ENV',
    jobs: [
      {
        script: ['bash -c "echo inner"'],
        moreVariables: [{ key: 'BASH_ENV', value: 'echo "from BASH_ENV"', file: true }],
      },
    ],
  },
  {
    name: 'a debug trap',
    shows: ['debugTrap'],
    jobs: [{ script: ['trap \'echo "next: $BASH_COMMAND"\' DEBUG', 'echo one', 'trap - DEBUG', 'echo two'] }],
  },
  {
    name: 'an error trap',
    jobs: [
      {
        script: [
          'trap \'echo "failed: $BASH_COMMAND"\' ERR',
          'trap \'echo "leaving with $?"\' EXIT',
          'true',
          'bash -c "exit 4"',
        ],
      },
    ],
  },
  {
    name: 'options of the shell',
    jobs: [
      {
        script: [
          'set -u',
          'echo "${NOT_SET:-fine}"',
          'set -f; echo *; set +f',
          'shopt -s extglob nullglob',
          'echo none*',
          'echo "$NOT_SET"',
          'echo never',
        ],
      },
    ],
  },
  {
    name: 'redirected output',
    jobs: [
      {
        script: [
          'exec 3>&1 > file',
          'echo into the file',
          'echo to the log >&3',
          'exec >&3 2>&1',
          'echo back',
          'echo err >&2',
          'cat file',
        ],
      },
    ],
  },
  { name: 'closed output', jobs: [{ script: ['exec >&- 2>&-', 'true', 'echo x'] }] },
  {
    name: 'functions and aliases',
    jobs: [
      {
        script: [
          'shopt -s expand_aliases',
          "alias hi='echo alias'",
          'hi',
          'f() { return 3; }',
          'f || echo "returned $?"',
          'return 0',
          'echo after',
        ],
      },
    ],
  },
  {
    name: 'comments',
    jobs: [{ script: ['# only a comment', 'echo a # with a comment', '  # indented\n  echo b\n  # end'] }],
  },
  { name: 'line ends of other systems', jobs: [{ script: ['echo a\r\necho b\r\n', 'echo c\r'] }] },
  { name: 'exec replaces the shell', jobs: [{ script: ['exec bash -c "echo replaced; exit 11"', 'echo never'] }] },
  {
    name: 'noclobber and umask',
    jobs: [{ script: ['echo 1 > f', 'echo 2 > f', 'set -o noclobber', 'echo 3 > f', 'echo never'] }],
  },
  {
    name: 'a command that ends in a backslash',
    jobs: [{ script: ['echo one', 'echo two &&\\\n echo three', 'echo "four\\\\"'] }],
  },
  {
    name: 'errors inside functions and subshells',
    jobs: [
      {
        script: [
          'f() { false; echo "goes on"; }',
          'if f; then echo yes; fi',
          '(exit 3) || echo "three"',
          'x=$(false) || echo caught',
          '! true',
          'echo still',
          'f',
          'echo never',
        ],
      },
    ],
  },
  {
    name: 'process substitution and coprocesses',
    jobs: [
      {
        script: [
          'cat <(echo sub)',
          'diff <(echo a) <(echo b) || echo differs',
          'read -r x < <(echo first); echo "$x"',
          'coproc cat; echo hi >&"${COPROC[1]}"; read -r y <&"${COPROC[0]}"; echo "$y"; kill %1; wait || true',
        ],
      },
    ],
  },
  {
    name: 'masked words in commands and names',
    jobs: [
      {
        name: 's3cret-value job',
        script: ['echo s3cret-value', ': "s3cret-value"'],
        moreVariables: [
          { key: 'SECRET', value: 's3cret-value', masked: true },
          { key: 'NL', value: 'a\\nb', masked: true },
        ],
      },
    ],
  },
  {
    name: 'masked value over lines',
    jobs: [
      {
        script: [
          'echo "$MULTI"',
          'echo "$MULTI" | while read -r l; do echo "> $l"; done',
          'printf "line-one\\r\\nline-two\\n"',
        ],
        moreVariables: [{ key: 'MULTI', value: 'line-one\nline-two', masked: true }],
      },
    ],
  },
  {
    name: 'a cancel while much is written',
    jobs: [
      { script: ['echo started', 'yes tick'], stop: { how: 'cancel', after: 'started' }, afterScript: ['echo after'] },
    ],
    focus: { why: 'how much was written', apply: (text) => text.replaceAll(/^01O t(?:i(?:ck?)?)?\n/gm, '') },
  },
  {
    name: 'abort in after_script',
    shows: ['filesAfterStop'],
    jobs: [
      {
        script: ['true'],
        afterScript: ['echo in after', 'while sleep 0.5; do echo tick; done'],
        stop: { how: 'abort', after: 'in after' },
      },
    ],
  },
  { name: 'a background child after a failure', jobs: [{ script: ['sleep 3 & ', 'exit 3'] }] },
  {
    name: 'nohup and setsid',
    jobs: [{ script: ['setsid sleep 2 > /dev/null 2>&1 &', 'nohup sleep 2 > /dev/null 2>&1 &', 'echo done'] }],
  },
  {
    name: 'the output of both streams in one',
    jobs: [{ script: ['{ echo a; echo b >&2; echo c; } 2>&1', 'for i in 1 2 3; do echo $i; done'] }],
  },
];
