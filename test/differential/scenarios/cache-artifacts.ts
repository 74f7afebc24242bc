import type { Scenario } from '../scenario.ts';

const archive = { artifact_type: 'archive', artifact_format: 'zip' };

const zip = (paths: readonly string[], more: object = {}) => ({ artifacts: [{ ...archive, paths, ...more }] });

/** Caches on the local disk and artifacts. */
export const fileScenarios: readonly Scenario[] = [
  {
    name: 'save a cache and restore it',
    shows: ['unchangedCache'],
    jobs: [
      {
        script: ['mkdir -p deps', 'echo v1 > deps/a', 'ln -s a deps/link', 'echo x > other'],
        payload: { cache: [{ key: 'k-$NAME', paths: ['deps/', 'none/*'] }] },
        variables: { NAME: 'n' },
      },
      { script: ['rm -rf deps; true'] },
      { script: ['cat deps/link', 'ls deps'], payload: { cache: [{ key: 'k-n', paths: ['deps/'] }] } },
    ],
  },
  {
    name: 'fallback keys',
    jobs: [
      { script: ['echo old > file'], payload: { cache: [{ key: 'old', paths: ['file'] }] } },
      { script: ['rm file'] },
      {
        script: ['cat file'],
        payload: { cache: [{ key: 'new', fallback_keys: ['missing', 'o$REST'], paths: ['file'] }] },
        variables: { REST: 'ld' },
      },
      { script: ['rm file'] },
      {
        script: ['cat file'],
        payload: { cache: [{ key: 'newer', paths: ['file'], policy: 'pull' }] },
        variables: { CACHE_FALLBACK_KEY: 'old' },
      },
    ],
  },
  {
    name: 'cache policies',
    jobs: [
      { script: ['echo 1 > file'], payload: { cache: [{ key: 'p', paths: ['file'], policy: 'push' }] } },
      {
        script: ['echo 2 > file'],
        payload: { cache: [{ key: 'p', paths: ['file'], policy: '$POLICY' }] },
        variables: { POLICY: 'pull' },
      },
      { script: ['true'], payload: { cache: [{ key: 'p', paths: ['file'], policy: 'bogus' }] } },
    ],
  },
  {
    name: 'when a cache is saved',
    jobs: [
      {
        script: ['echo 1 > file', 'exit 1'],
        payload: {
          cache: [
            { key: 'success', paths: ['file'], when: 'on_success' },
            { key: 'failure', paths: ['file'], when: 'on_failure' },
            { key: 'always', paths: ['file'], when: 'always' },
          ],
        },
      },
    ],
  },
  {
    name: 'odd cache keys',
    jobs: [
      {
        script: ['echo 1 > file'],
        payload: {
          cache: [
            { key: '', paths: ['file'] },
            { key: 'a/b c', paths: ['file'] },
            { key: '$NONE', paths: ['file'] },
            { key: 'empty', paths: [] },
          ],
        },
      },
    ],
  },
  {
    name: 'untracked files in a cache',
    jobs: [
      {
        sources: 'plain',
        script: ['echo 1 > new', 'echo 2 > x.ignored'],
        payload: { cache: [{ key: 'u', untracked: true }] },
      },
    ],
  },
  {
    name: 'artifacts',
    jobs: [
      {
        script: [
          'mkdir -p out/sub',
          'echo a > out/a.txt',
          'echo b > out/sub/b.log',
          'ln -s a.txt out/link',
          'chmod 600 out/a.txt',
        ],
        payload: {
          artifacts: [
            {
              ...archive,
              name: 'name-$NAME',
              paths: ['../outside', 'out/', 'none'],
              exclude: ['out/**/*.log'],
              expire_in: '1 week',
            },
          ],
        },
        variables: { NAME: 'x' },
      },
      { script: ['find out | sort', 'stat -c %a out/a.txt'], artifactsOf: 0, variables: { GIT_STRATEGY: 'empty' } },
    ],
  },
  {
    name: 'reports',
    jobs: [
      {
        script: ['echo "<xml/>" > junit.xml', 'echo "A=1" > build.env', 'echo raw > raw.txt'],
        payload: {
          artifacts: [
            {
              paths: ['junit.xml'],
              artifact_type: 'junit',
              artifact_format: 'gzip',
              name: 'junit.xml',
              when: 'always',
            },
            { paths: ['build.env'], artifact_type: 'dotenv', artifact_format: 'gzip', name: 'build.env' },
            { paths: ['raw.txt'], artifact_type: 'metrics', artifact_format: 'gzip', name: 'm' },
          ],
        },
      },
    ],
  },
  {
    name: 'a raw artifact',
    jobs: [
      {
        script: ['echo raw > raw.txt'],
        payload: {
          artifacts: [{ paths: ['raw.txt'], artifact_type: 'archive', artifact_format: 'raw', name: 'raw.txt' }],
        },
      },
    ],
  },
  {
    name: 'several files that should be one',
    focus: { why: 'texts of errors', apply: (text) => text.replaceAll(/^01E .*(?:ERROR|FATAL|Retrying).*\n/gm, '') },
    jobs: [
      {
        script: ['echo 1 > a.txt', 'echo 2 > b.txt'],
        payload: { artifacts: [{ paths: ['*.txt'], artifact_type: 'archive', artifact_format: 'raw', name: 'x' }] },
      },
    ],
  },
  {
    name: 'untracked artifacts',
    jobs: [
      {
        sources: 'plain',
        script: ['echo 1 > new', 'mkdir d', 'echo 2 > d/x.ignored'],
        payload: { artifacts: [{ ...archive, untracked: true, exclude: ['new'] }] },
      },
    ],
  },
  {
    name: 'no artifacts found',
    jobs: [{ script: ['true'], payload: { artifacts: [{ ...archive, paths: ['none/*.txt'] }] } }],
  },
  {
    name: 'when artifacts are uploaded',
    jobs: [
      {
        script: ['echo 1 > file', 'exit 1'],
        payload: {
          artifacts: [
            { ...archive, paths: ['file'], when: 'on_success' },
            { paths: ['file'], artifact_type: 'junit', artifact_format: 'gzip', when: 'on_failure' },
          ],
        },
      },
    ],
  },
  {
    name: 'artifacts that are gone, asked for twice',
    jobs: [
      { script: ['true'] },
      {
        script: ['echo never'],
        artifactsOf: 0,
        variables: { ARTIFACT_DOWNLOAD_ATTEMPTS: '2', FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY: 'false' },
      },
    ],
  },
  {
    name: 'kinds of files in a cache',
    shows: ['unchangedCache'],
    jobs: [
      {
        script: [
          'mkdir -p "dir with blank/empty" .hidden',
          'echo 1 > "dir with blank/größe"',
          'echo x > .hidden/file; chmod 700 .hidden/file',
          'echo abs > abs',
        ],
        payload: { cache: [{ key: 'kinds', paths: ['dir with blank', '.hidden', '$CI_PROJECT_DIR/abs', './abs'] }] },
      },
      { script: ['rm -rf "dir with blank" .hidden abs', 'mkdir .hidden; touch .hidden/old'] },
      {
        script: ['find . | sort', 'stat -c %a .hidden/file'],
        payload: { cache: [{ key: 'kinds', paths: ['dir with blank', '.hidden', 'abs'], policy: 'pull' }] },
      },
    ],
  },
  {
    name: 'cache paths with patterns',
    jobs: [
      {
        script: ['mkdir -p a/b c', 'touch a/1.txt a/b/2.txt c/3.log c/4.txt .dot.txt'],
        payload: { cache: [{ key: 'p', paths: ['/etc/passwd', '', '**/*.txt', 'c/*.log', '{a,c}/*', '[!z]/none'] }] },
      },
    ],
  },
  {
    name: 'fast compression',
    jobs: [
      {
        script: ['echo 1 > f'],
        variables: { CACHE_COMPRESSION_LEVEL: 'fastest', ARTIFACT_COMPRESSION_LEVEL: 'slowest' },
        payload: { cache: [{ key: 'c', paths: ['f'] }], ...zip(['f']) },
      },
    ],
  },
  {
    name: 'names of artifacts',
    jobs: [
      { script: ['echo 1 > f'], payload: zip(['f'], { name: 'a/b c/größe$X' }), variables: { X: '!' } },
      { script: ['echo 1 > f'], payload: zip(['f'], { name: '' }) },
      { script: ['echo 1 > f'], payload: zip(['f'], { name: '$UNSET' }) },
      { script: ['echo 1 > f'], payload: zip(['f'], { name: '../up' }) },
    ],
  },
  {
    name: 'paths of artifacts',
    shows: ['excludedCount'],
    jobs: [
      {
        script: ['mkdir -p d/e empty', 'touch d/1 d/e/2 .hidden f', 'ln -s d link'],
        payload: zip(['.'], { exclude: ['d/e/**', 'none/*'] }),
      },
      { script: ['ls'], payload: zip(['d/*', 'd/1', '$CI_PROJECT_DIR/f', 'link', 'empty', '*']) },
      { script: ['ls'], payload: zip(['link/1', './f', 'd//1', 'd/../f']) },
    ],
  },
  {
    name: 'downloaded over files',
    jobs: [
      { script: ['mkdir d', 'echo new > d/f', 'echo 1 > g'], payload: zip(['d', 'g']) },
      { script: ['cat d/f; ls -A'], artifactsOf: 0, variables: { GIT_STRATEGY: 'none' } },
    ],
  },
  {
    name: 'provenance',
    jobs: [
      {
        script: ['echo 1 > f'],
        payload: zip(['f'], { name: 'prov' }),
        variables: {
          CI_RUNNER_ID: '12',
          RUNNER_GENERATE_ARTIFACTS_METADATA: 'true',
          SLSA_PROVENANCE_SCHEMA_VERSION: 'v1',
        },
      },
    ],
    focus: {
      why: 'sizes of the statement',
      apply: (t) => t.replaceAll(/^(\s+\d+) \d+ \w+ (.*metadata.json)/gm, '$1 $2'),
    },
  },
  {
    name: 'an artifact of a type that is refused',
    focus: { why: 'texts of errors', apply: (text) => text.replaceAll(/^01E .*(?:FATAL|Retrying).*\n/gm, '') },
    jobs: [
      {
        script: ['echo 1 > f'],
        payload: {
          artifacts: [
            { paths: ['f'], artifact_type: 'no-such-type', artifact_format: 'gzip' },
            { ...archive, paths: ['f'] },
          ],
        },
      },
    ],
  },
  {
    name: 'several artifacts of which one is missing',
    jobs: [
      {
        script: ['echo 1 > f'],
        payload: {
          artifacts: [
            { paths: ['none'], artifact_type: 'junit', artifact_format: 'gzip' },
            { ...archive, paths: ['f'] },
          ],
        },
      },
    ],
  },
  {
    name: 'failing cache and artifacts after a failure',
    jobs: [{ script: ['exit 2'], payload: zip(['none'], { when: 'on_failure' }) }],
  },
];
