import type { Scenario } from '../../differential/scenario.ts';

/** What cannot be compared with the Go runner at hand: newer than it, or deliberately different. */
export const ownScenarios: readonly Scenario[] = [
  {
    name: 'names that no shell can export',
    jobs: [{ script: ['echo "$GOOD"'], variables: { 'A-B': '1', '1C': '2', 'D.E': '3', GOOD: 'good' } }],
  },
  {
    name: 'bad lines in GITLAB_ENV',
    jobs: [
      {
        script: [String.raw`printf 'GOOD=1\nno value\nA-B=2\n\n=3\nLAST=without end' >> "$GITLAB_ENV"`],
        afterScript: ['echo "$GOOD|$LAST"'],
      },
    ],
  },
  { name: 'a readonly variable', jobs: [{ script: ['echo never'], variables: { UID: '5' } }] },
  {
    name: 'a large variable',
    jobs: [{ script: ['echo "${#BIG}"', 'unset BIG', 'env > /dev/null'], variables: { BIG: 'x'.repeat(200_000) } }],
  },
  {
    name: 'attempts out of range',
    jobs: [{ script: ['true'], variables: { GET_SOURCES_ATTEMPTS: '11', ARTIFACT_DOWNLOAD_ATTEMPTS: '0' } }],
  },
  {
    name: 'cache keys that are made fit',
    jobs: [
      {
        script: ['echo 1 > file'],
        payload: {
          cache: ['../../escape', '..', 'a%2fb', 'trailing /. '].map((key) => ({ key, paths: ['file'] })),
        },
      },
    ],
  },
  {
    name: 'a fallback key of protected branches',
    jobs: [
      {
        script: ['true'],
        payload: { cache: [{ key: 'k', paths: ['file'], policy: 'pull' }] },
        variables: { CACHE_FALLBACK_KEY: 'x-protected' },
      },
    ],
  },
  { name: 'nothing to cache', jobs: [{ script: ['true'], payload: { cache: [{ key: 'k', paths: ['none'] }] } }] },
  {
    name: 'deleted files in a cache',
    jobs: [
      { script: ['mkdir d; touch d/1 d/2; ln -s none d/dangling'], payload: { cache: [{ key: 'k', paths: ['d'] }] } },
      { script: ['rm d/1'], payload: { cache: [{ key: 'k', paths: ['d'] }] } },
      { script: ['rm -r d'] },
      { script: ['ls d'], payload: { cache: [{ key: 'k', paths: ['d'], policy: 'pull' }] } },
    ],
  },
  {
    name: 'a folder where a file was',
    jobs: [
      {
        script: ['mkdir d', 'echo new > d/f'],
        payload: { artifacts: [{ paths: ['d'], artifact_type: 'archive', artifact_format: 'zip' }] },
      },
      { script: ['rm -r d; echo file > d'] },
      { script: ['cat d/f'], artifactsOf: 0 },
    ],
  },
  {
    name: 'credentials outside of the project',
    jobs: [
      {
        sources: 'parent',
        script: [
          'grep -r token-of-the-repository .git/config .git/modules/*/config || echo "no token in the project"',
          'git -C outer/inner config include.path | sed "s,.*/,,"',
          'git -C outer/inner ls-remote origin refs/heads/main | cut -c1-8',
        ],
        variables: { GIT_SUBMODULE_STRATEGY: 'recursive' },
      },
    ],
  },
  {
    name: 'sh without flags',
    runner: 'posix',
    jobs: [{ script: [`echo "it's" 'a "quoted" \\ word'`, 'echo "$ODD"'], variables: { ODD: "a 'b' \n\t$$c" } }],
  },
  {
    name: 'options that no executor has',
    jobs: [{ script: ['echo never'], payload: { image: { name: 'a', executor_opts: { docker: { x: 1 }, y: 2 } } } }],
  },
  {
    name: 'children that left their group',
    jobs: [
      {
        script: [
          'setsid sleep 1000 > /dev/null 2>&1 & echo $! > child',
          'echo started',
          'while sleep 0.5; do echo tick; done',
        ],
        stop: { how: 'cancel', after: 'started' },
        afterScript: [
          // An ended process that its new parent has not asked about yet is gone too.
          'case "$(cat "/proc/$(cat child)/stat" 2> /dev/null)" in "" | *") Z "*) echo "no child is left" ;; *) echo "still there" ;; esac',
          'rm child',
        ],
      },
    ],
  },
];
