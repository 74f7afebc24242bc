import type { Scenario } from '../scenario.ts';

/** What reaches the trace: masking, limits, odd bytes, background children. */
export const outputScenarios: readonly Scenario[] = [
  {
    name: 'masked values',
    jobs: [
      {
        script: [
          'echo "one $SECRET two $SECRET"',
          'printf %s "${SECRET:0:4}"; sleep 0.3; printf "%s\\n" "${SECRET:4}"',
          'echo "$SECRET" >&2',
          'echo "$LINES"',
          'echo "part ${SECRET:0:5} is no secret"',
          'echo "s3cret-valus3cret-value"',
        ],
        moreVariables: [
          { key: 'SECRET', value: 's3cret-value', masked: true },
          { key: 'LINES', value: 'first line\nsecond line', masked: true },
          { key: 'SHORT', value: '  padded-secret \n', masked: true },
          { key: 'EMPTY', value: '', masked: true },
        ],
      },
    ],
  },
  {
    name: 'masked values that contain each other',
    jobs: [
      {
        script: ['echo "abcdef abcdefghi xabcdefx"', 'echo "$LONG"'],
        moreVariables: [
          { key: 'INNER', value: 'abcdef', masked: true },
          { key: 'LONG', value: 'abcdefghi', masked: true },
        ],
      },
    ],
  },
  {
    name: 'token prefixes and URL parameters',
    jobs: [
      {
        script: [
          'echo "glpat-abc.def_1-2 end; glrt-xyz! xglpat- y"',
          'echo "own-prefix-123 and ownprefix"',
          'echo "http://h/p?private_token=abc&x=1&RSS_TOKEN=def ghi"',
          'echo "http://h/?X-Amz-Signature=0123&X-Amz-Credential=&authenticity_token=z"',
          'printf "glpat-"; sleep 0.3; echo "late"',
        ],
        payload: {
          features: { trace_sections: true, token_mask_prefixes: ['own-prefix-'], failure_reasons: [] },
        },
      },
    ],
  },
  {
    name: 'without the default token prefixes',
    jobs: [{ script: ['echo "glpat-abc glrt-def glptt-ghi"'], variables: { FF_MASK_ALL_DEFAULT_TOKENS: 'false' } }],
  },
  {
    name: 'without timestamps',
    jobs: [
      {
        script: ['echo hello', 'printf "no line end"', 'printf "\\rprogress 1\\rprogress 2\\n"', 'exit 1'],
        afterScript: ['echo after'],
        withoutTimestamps: true,
      },
    ],
  },
  {
    name: 'output without a line end',
    jobs: [{ script: ['printf abc', 'printf def >&2', 'printf "a\\rb\\rc\\r\\n"', 'printf "end"'] }],
  },
  {
    name: 'binary output',
    jobs: [{ script: ["printf '\\000\\001\\002\\377\\376 end\\n'", "printf '\\033[31mred\\033[0m\\n'"] }],
  },
  {
    name: 'invalid and split UTF-8',
    jobs: [
      {
        script: [
          "printf 'bad \\303\\050 \\360\\237\\230 half\\n'",
          "printf 'split \\342\\202'; sleep 0.3; printf '\\254 done\\n'",
          'echo "größe €"',
          "printf 'cut \\342\\202'",
        ],
      },
    ],
  },
  {
    name: 'a long line',
    jobs: [{ script: ['head -c 20000 /dev/zero | tr "\\0" x', 'echo', 'echo end'] }],
  },
  {
    name: 'a line of ten megabytes',
    focus: { why: 'headers of its parts count for the limit', apply: (text) => text.replaceAll(/x{1000,}/g, 'x…') },
    jobs: [{ script: ['head -c 10000000 /dev/zero | tr "\\0" x', 'echo never shown'] }],
  },
  {
    name: 'many lines',
    focus: { why: 'short to read', apply: withShortSequences },
    jobs: [{ script: ['seq 1 20000', 'sleep 0.5; seq 1 200 >&2'] }],
  },
  {
    name: 'output limit',
    focus: { why: 'longer headers leave less for the script', apply: (text) => text.replaceAll(/^line.*\n|^\n/gm, '') },
    runner: 'small',
    jobs: [{ script: ['for i in $(seq 1 200); do echo "line $i größe"; done', 'exit 3'], withoutTimestamps: true }],
  },
  {
    name: 'a background child with its own output',
    jobs: [{ script: ['sleep 30 > /dev/null 2>&1 &', 'echo done'] }],
  },
  {
    name: 'a background child that holds the output',
    jobs: [{ script: ['(sleep 2; echo late) &', 'echo done'], afterScript: ['echo after'] }],
  },
  {
    name: 'own sections',
    jobs: [
      {
        script: [
          'printf "section_start:1560896352:mine[collapsed=true]\\r\\033[0KTitle\\n"',
          'echo inside',
          'printf "section_end:1560896353:mine\\r\\033[0K\\n"',
        ],
      },
    ],
  },
  {
    name: 'debug trace',
    focus: {
      why: 'what the shell tells of scripts that are made otherwise',
      apply: (text) => text.replaceAll(/^01E (?!\+* echo \[MASKED\]).*\n/gm, ''),
    },
    jobs: [
      {
        script: ['echo "$SECRET"'],
        variables: { CI_DEBUG_TRACE: 'true' },
        moreVariables: [{ key: 'SECRET', value: 's3cret-value', masked: true }],
      },
    ],
  },
  {
    name: 'debug trace that the runner forbids',
    runner: 'quiet',
    jobs: [{ script: ['echo hello'], variables: { CI_DEBUG_TRACE: 'true' } }],
  },
];

/** `1`, `2`, … on lines of their own, each line there and in its place, as one line. */
function withShortSequences(text: string): string {
  return text.replaceAll(/^(01[OE]) 1\n(?:\1 \d+\n)+/gm, (lines, stream: string) => {
    const numbers = lines
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.slice(stream.length + 1)));
    const isComplete = numbers.every((number, index) => number === index + 1);
    return isComplete ? `${stream} 1 to ${numbers.length}\n` : lines;
  });
}
