import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { branch, job, problemsOf } from '../../support/pipeline/compile.ts';

/** One job with these keys. */
function a(keys: string): string {
  return `a:\n  script: x\n${keys.replaceAll(/^/gm, '  ')}\n`;
}

describe('artifacts', () => {
  test('the archive and each report', async () => {
    const yaml = a(`artifacts:
  name: n-$CI_JOB_NAME
  paths: [out/, "*.log"]
  exclude: [out/tmp]
  untracked: true
  when: always
  expire_in: 1 week
  expose_as: the logs
  access: none
  reports:
    junit: [a.xml, b.xml]
    dotenv: build.env
    coverage_report: {coverage_format: cobertura, path: c.xml}
    lsif: l.json
    sast: s.json`).replace('"*.log"', 'logs');
    expect((await job(yaml, 'a')).artifacts).toEqual([
      {
        name: 'n-$CI_JOB_NAME',
        untracked: true,
        paths: ['out/', 'logs'],
        exclude: ['out/tmp'],
        when: 'always',
        artifact_type: 'archive',
        artifact_format: 'zip',
        expire_in: '1 week',
      },
      ...[
        ['junit.xml', ['a.xml', 'b.xml'], 'junit', 'gzip'],
        ['.env', ['build.env'], 'dotenv', 'gzip'],
        ['cobertura-coverage.xml', ['c.xml'], 'cobertura', 'gzip'],
        ['lsif.json', ['l.json'], 'lsif', 'zip'],
        ['gl-sast-report.json', ['s.json'], 'sast', 'raw'],
      ].map(([name, paths, type, format]) => ({
        name,
        paths,
        when: 'always',
        artifact_type: type,
        artifact_format: format,
        expire_in: '1 week',
      })),
    ]);
  });

  test('only reports: no archive', async () => {
    expect(
      (await job(a('artifacts: {reports: {junit: a.xml}}'), 'a')).artifacts.map((item) => item.artifact_type),
    ).toEqual(['junit']);
  });

  test('what is wrong with them', async () => {
    const yaml = a(`artifacts:
  paths: out
  when: never
  expire_in: soon
  public: true
  access: all
  foo: 1
  reports: {junk: x, junit: {a: b}, coverage_report: {path: x}}`);
    expect(await problemsOf(yaml)).toEqual([
      '4:12 jobs:a:artifacts paths should be an array of strings',
      '5:11 jobs:a:artifacts when should be one of: on_success, on_failure, always',
      '6:16 jobs:a:artifacts expire in should be a duration',
      '8:5 jobs:a:artifacts config these keys cannot be used together: public, access',
      '9:5 jobs:a:artifacts config contains unknown keys: foo',
      '10:15 jobs:a:artifacts:reports config contains unknown keys: junk',
      '10:31 jobs:a:artifacts:reports junit should be an array of strings or a string',
      "10:56 jobs:a:artifacts:reports:coverage_report coverage format can't be blank",
    ]);
    expect(await problemsOf(a('artifacts: {expose_as: "no/slash", paths: ["*.x"]}'))).toEqual([
      '3:26 jobs:a:artifacts expose as can contain only letters, digits, spaces, `-` and `_`',
      "3:45 jobs:a:artifacts paths can't contain '*' when used with 'expose_as'",
    ]);
  });
});

describe('cache', () => {
  test('keys get the suffix of the ref; the defaults', async () => {
    const yaml = a('cache: {paths: [x], fallback_keys: [f]}');
    expect((await job(yaml, 'a')).cache).toEqual([
      {
        key: 'default-protected',
        untracked: false,
        policy: 'pull-push',
        paths: ['x'],
        when: 'on_success',
        fallback_keys: ['f-protected'],
      },
    ]);
    expect((await job(yaml, 'a', { gitFacts: branch('x') })).cache[0]?.key).toBe('default-non_protected');
    expect((await job(yaml, 'a', { separateCaches: false })).cache[0]?.key).toBe('default');
    expect((await job(a('cache: {paths: [x], unprotect: true}'), 'a')).cache[0]?.key).toBe('default-non_protected');
  });

  test('several, with all keys', async () => {
    const yaml = a(`cache:
  - {key: "$CI_JOB_NAME", paths: [a], policy: pull, when: always, untracked: true}
  - {key: k, paths: [b], policy: $POLICY}`);
    expect((await job(yaml, 'a')).cache).toMatchObject([
      { key: '$CI_JOB_NAME-protected', policy: 'pull', when: 'always', untracked: true },
      { key: 'k-protected', policy: '$POLICY' },
    ]);
  });

  test('keys of files are made of git blobs, so they are those of the server', async () => {
    const blob = (text: string): string => createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex');
    const sum = (...ids: readonly string[]): string =>
      createHash('sha1').update(ids.toSorted().join('-')).digest('hex');
    const files = (key: string): Record<string, string> => ({
      '.gitlab-ci.yml': a(`cache: [{key: x, paths: [x]}, {key: ${key}, paths: [y]}]`),
      'Gemfile.lock': 'one',
      'lib/b.lock': 'two',
    });
    const key = async (text: string): Promise<string | undefined> => (await job(files(text), 'a')).cache[1]?.key;
    expect(await key('{files: [Gemfile.lock, /lib/b.lock]}')).toBe(
      `1_Gemfile_/lib/b-${sum(blob('one'), blob('two'))}-protected`,
    );
    expect(await key('{files: [Gemfile.lock], prefix: p}')).toBe(`p-${sum(blob('one'))}-protected`);
    expect(await key('{files: [none.lock, nope]}')).toBe('1_none_nope-default-protected');
    expect(await key('{files: ["**/*.lock"]}')).toBe(`1_**/*-${sum(blob('one'), blob('two'))}-protected`);
    expect(await key('{files_commits: [Gemfile.lock]}')).toBe(`1-${sum(blob('one'))}-protected`);
    const commits = { lastCommit: async () => 'c0ffee' };
    const byCommit = await job(files('{files_commits: [Gemfile.lock]}'), 'a', { fileCommits: commits });
    expect(byCommit.cache[1]?.key).toBe(`1-${sum('c0ffee')}-protected`);
  });

  test('what is wrong with it', async () => {
    const yaml = a(`cache:
  - {key: a/b}
  - {key: ..}
  - {key: {prefix: p}}
  - {key: {files: [a, b, c]}, policy: often, foo: 1}
  - {fallback_keys: [a, b, c, d, e, f]}`);
    expect(await problemsOf(yaml)).toEqual([
      '4:5 jobs:a:cache config no more than 4 caches can be created',
      '4:13 jobs:a:cache:cache:key config cannot contain the "/" character',
      '5:13 jobs:a:cache:cache:key config cannot be "." or ".."',
      '6:13 jobs:a:cache:cache:key config must use exactly one of these keys: files, files_commits',
      '7:21 jobs:a:cache:cache:key files has too many items (maximum is 2)',
      '7:41 jobs:a:cache:cache policy should be one of: pull, push, pull-push, or a variable',
      '7:48 jobs:a:cache:cache config contains unknown keys: foo',
      '8:23 jobs:a:cache:cache fallback keys has too many entries (maximum 5)',
    ]);
  });
});
