import { describe, expect, test } from 'vitest';
import { compile, job, jobNames, problemsOf } from '../../support/pipeline/compile.ts';

/** One job with these keys. */
function a(keys: string): string {
  return `a:\n  script: x\n${keys.replaceAll(/^/gm, '  ')}\n`;
}

describe('scripts', () => {
  test('before_script and script are one step; after_script its own', async () => {
    const yaml = 'a: {before_script: b, script: [s, [t, [u]]], after_script: [z]}\n';
    expect((await job(yaml, 'a')).steps).toEqual([
      { name: 'script', script: ['b', 's', 't', 'u'], when: 'on_success', allow_failure: false },
      { name: 'after_script', script: ['z'], when: 'always', allow_failure: true },
    ]);
  });

  test('run goes out as text, and not beside script', async () => {
    expect(await job('a: {run: [{name: hi, script: echo}]}\n', 'a')).toMatchObject({
      run: '[{"name":"hi","script":"echo"}]',
      steps: [],
    });
    expect(await problemsOf('a: {script: x, run: []}\n')).toEqual([
      '1:16 jobs:a config these keys cannot be used together: script, run',
    ]);
  });

  test('what is wrong with them', async () => {
    const yaml = `a:
  script:
    - echo a: b
    - 5
b: {script: []}
c: {script: ""}
d: {script: {a: b}}
e: {stage: build}
f: text
g: {trigger: other/project, script: x, tags: [a]}
h: {script: x, foo: 1, bar: 2}
`;
    expect(await problemsOf(yaml)).toEqual([
      '3:7 jobs:a:script config should be a string or a nested array of strings up to 10 levels deep',
      '4:7 jobs:a:script config should be a string or a nested array of strings up to 10 levels deep',
      "5:13 jobs:b script can't be blank",
      "6:13 jobs:c script can't be blank",
      '7:13 jobs:d:script config should be a string or a nested array of strings up to 10 levels deep',
      '8:1 jobs e config should implement the script:, run:, or trigger: keyword',
      '9:1 jobs f config should implement the script:, run:, or trigger: keyword',
      '10:5 jobs:g config these keys cannot be used together: script, trigger',
      '10:40 jobs:g config contains unknown keys: tags',
      '11:16 jobs:h config contains unknown keys: foo, bar',
    ]);
  });

  test('a trigger is a problem where it would run, with defaults that are not for it', async () => {
    const yaml = (keys: string): string => `default: {image: d}\na: {script: x}\nb: {trigger: other/project${keys}}\n`;
    expect(await problemsOf(yaml(''))).toEqual(['3:5 jobs:b trigger is not supported locally']);
    expect(await jobNames(yaml(', rules: [{if: $MILLRACE_LOCAL, when: never}, {when: on_success}]'))).toEqual(['a']);
  });

  test('triggers can be left out', async () => {
    const yaml = 'a: {script: x}\nb: {trigger: other/project}\n';
    const { submission, jobs, notices } = await compile(yaml, { triggers: 'skip' });
    expect(submission?.jobs.map((item) => item.name)).toEqual(['a']);
    expect(jobs[1]).toMatchObject({ included: false, reason: 'triggers are left out of local runs' });
    expect(notices.map((notice) => notice.message)).toEqual(['jobs:b is left out: trigger is not supported locally']);
  });

  test('names that no job can have, and no job at all', async () => {
    expect(await problemsOf(`yes: {script: x}\n"": {script: x}\n${'x'.repeat(256)}: {script: x}\n`)).toEqual([
      '1:1 jobs:true name is reserved',
      "2:1 jobs name can't be blank",
      `3:1 jobs:${'x'.repeat(256)} name is too long (maximum is 255 characters)`,
    ]);
    expect(await problemsOf('.a: {script: x}\n')).toEqual(['1:1 jobs config should contain at least one visible job']);
  });
});

describe('image and services', () => {
  test('short and long forms', async () => {
    const yaml =
      a(`image: {name: i, entrypoint: [""], docker: {platform: arm64, user: 1000}, kubernetes: {user: "1:2"}, pull_policy: always}
services:
  - redis:7
  - {name: pg, alias: "db, sql", command: [a], entrypoint: [e], variables: {A: $B}, pull_policy: [never, always]}`);
    expect(await job(yaml, 'a')).toMatchObject({
      image: {
        name: 'i',
        entrypoint: [''],
        pull_policy: ['always'],
        executor_opts: { docker: { platform: 'arm64', user: 1000 }, kubernetes: { user: '1:2' } },
      },
      services: [
        { name: 'redis:7' },
        {
          name: 'pg',
          alias: 'db, sql',
          command: ['a'],
          entrypoint: ['e'],
          pull_policy: ['never', 'always'],
          variables: [{ key: 'A', value: '$B', public: true, file: false, masked: false, raw: false }],
        },
      ],
    });
  });

  test('what is wrong with them', async () => {
    const yaml =
      a('image: [x]\nservices: redis') +
      a('image: {foo: 1}\nservices: [{alias: a}, 5]').replace(/^a/, 'b') +
      a('image: {name: x, pull_policy: often, entrypoint: e}').replace(/^a/, 'c');
    expect(await problemsOf(yaml)).toEqual([
      '3:10 jobs:a:image config should be a hash or a string',
      '4:13 jobs:a:services config should be an array',
      "7:10 jobs:b:image name can't be blank",
      '7:11 jobs:b:image config contains unknown keys: foo',
      "8:14 jobs:b:services:service name can't be blank",
      '8:26 jobs:b:services:service config should be a hash or a string',
      '11:33 jobs:c:image pull policy unknown value: often',
      '11:52 jobs:c:image entrypoint should be an array of strings',
    ]);
  });
});

describe('execution', () => {
  test('retry, timeout, tags, interruptible, coverage, hooks', async () => {
    const yaml = a(`retry: {max: 2, when: [script_failure, api_failure], exit_codes: [3]}
timeout: 1h 30m
tags: [docker]
interruptible: true
coverage: '/cov: (\\d+)%/i'
hooks: {pre_get_sources_script: [one, two]}`);
    expect(await job(yaml, 'a')).toMatchObject({
      retry: { max: 2, when: ['script_failure', 'api_failure'], exit_codes: [3] },
      timeout_seconds: 5400,
      tags: ['docker'],
      interruptible: true,
      coverage: '(?i)cov: (\\d+)%',
      hooks: [{ name: 'pre_get_sources_script', script: ['one', 'two'] }],
    });
    expect(await job(a('retry: 1'), 'a')).toMatchObject({ retry: { max: 1, when: ['always'] }, timeout_seconds: 3600 });
    expect((await job(a('retry: {max: 1, exit_codes: 7}'), 'a')).retry).toEqual({ max: 1, when: [], exit_codes: [7] });
    expect((await job(a(''), 'a', { defaultTimeoutSeconds: 60 })).timeout_seconds).toBe(60);
  });

  test('delayed and manual', async () => {
    expect(await job(a('when: delayed\nstart_in: 30 minutes'), 'a')).toMatchObject({
      when: 'delayed',
      start_in_seconds: 1800,
    });
    const { jobs } = await compile(a('when: manual\nmanual_confirmation: sure?'));
    expect(jobs[0]).toMatchObject({ when: 'manual', manualConfirmation: 'sure?', allowFailure: true });
  });

  test('what is wrong with them', async () => {
    const yaml = a(`retry: 3
timeout: never
tags: docker
interruptible: 1
coverage: no
when: sometimes
start_in: 5 min
allow_failure: {exit_codes: [x]}
resource_group: [x]
inherit: {foo: 1}`);
    expect(await problemsOf(yaml)).toEqual([
      '3:10 jobs:a:retry config must be less than or equal to 2',
      '4:12 jobs:a:timeout config should be a duration',
      '5:9 jobs:a:tags config should be an array of strings',
      '6:18 jobs:a:interruptible config should be a boolean value',
      '7:13 jobs:a coverage should be a string',
      '8:9 jobs:a when should be one of: on_success, on_failure, always, manual, delayed',
      '9:13 jobs:a start in must be blank',
      '10:31 jobs:a:allow_failure exit codes should be an array of integers or an integer',
      '11:19 jobs:a resource group should be a string',
      '12:13 jobs:a:inherit config contains unknown keys: foo',
    ]);
    expect(await problemsOf(a("coverage: '/(/'"))).toEqual([
      '3:13 jobs:a coverage must be a regular expression with re2 syntax',
    ]);
    expect(await problemsOf(a('timeout: 2 months'))).toEqual([
      '3:12 jobs:a:timeout config should not exceed the limit',
    ]);
  });
});

describe('environment', () => {
  test('on_stop must name a job that stops the same one', async () => {
    const yaml = `
ok: {script: x, environment: {name: e, on_stop: stop}}
stop: {script: x, when: manual, environment: {name: e, action: stop}}
a: {script: x, environment: {name: e, on_stop: gone}}
b: {script: x, environment: {name: e, on_stop: c}}
c: {script: x}
d: {script: x, environment: {name: other, on_stop: stop}}
e: {script: x, environment: {name: e, on_stop: ok}}
`;
    expect(await problemsOf(yaml)).toEqual([
      '4:29 a job: on_stop job gone is not defined',
      '5:29 b job: on_stop job c does not have environment defined',
      '7:29 d job: on_stop job stop have different environment name',
      '8:29 e job: on_stop job ok needs to have action stop defined',
    ]);
  });

  test('what is wrong with it', async () => {
    const yaml = a('environment: {url: x, action: jump, foo: 1}') + a('environment: "a b!"').replace(/^a/, 'b');
    expect(await problemsOf(yaml)).toEqual([
      "3:16 jobs:a:environment name can't be blank",
      '3:33 jobs:a:environment action should be one of: start, stop, prepare, verify, access',
      '3:39 jobs:a:environment config contains unknown keys: foo',
      "6:16 jobs:b:environment name can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it cannot start or end with '/'",
    ]);
  });
});

describe('what a local run does otherwise', () => {
  test('release is skipped with a notice, or made when allowed', async () => {
    const yaml = a(`release:
  tag_name: v1
  description: 'the "best"'
  assets: {links: [{name: n, url: u, filepath: /f}]}`);
    const { notices, submission } = await compile(yaml);
    expect(notices.map((notice) => `${notice.line} ${notice.message}`)).toEqual([
      '3 `release` is skipped: no release is made from a local run',
    ]);
    expect(submission?.jobs[0]?.steps.map((step) => step.name)).toEqual(['script']);
    const release = (await job(yaml, 'a', { allowRelease: true })).steps[1];
    expect(release?.name).toBe('release');
    expect(release?.script.at(-1)).toBe(
      'glab release create "v1" --notes "the \\"best\\"" --assets-links "[{\\"name\\":\\"n\\",\\"url\\":\\"u\\",\\"direct_asset_path\\":\\"/f\\"}]" --no-update --no-close-milestone',
    );
    expect(await problemsOf(a('release: {tag_name: v1, foo: 1}'))).toEqual([
      "3:12 jobs:a:release description can't be blank",
      '3:27 jobs:a:release config contains unknown keys: foo',
    ]);
  });

  test('pages keep their folder as an artifact', async () => {
    const { notices, submission } = await compile(
      'pages: {script: x, artifacts: {paths: [other]}}\nb: {script: x, pages: {publish: dist}}\n',
    );
    expect(submission?.jobs.map((item) => item.artifacts[0]?.paths)).toEqual([['other', 'public'], ['dist']]);
    expect(notices).toHaveLength(2);
  });

  test('id_tokens and secrets take local variables, else a notice or the runner', async () => {
    const yaml = a(`id_tokens: {TOKEN: {aud: https://x}, MINE: {aud: [a, b]}}
secrets:
  LOCAL: {vault: a/b/c}
  PASSWORD: {vault: production/db/password@ops, file: false, token: $TOKEN}
  KEY: {akeyless: {name: x}}`);
    const userVariables = ['LOCAL', 'MINE'].map((key) => ({ key, value: `local ${key}`, level: 'project' as const }));
    const extra = {
      userVariables: [...userVariables, { key: 'VAULT_SERVER_URL', value: 'https://v', level: 'project' as const }],
    };
    const sent = await job(yaml, 'a', extra);
    expect(sent.variables_above_dotenv.at(-1)).toEqual({
      key: 'LOCAL',
      value: 'local LOCAL',
      public: false,
      file: true,
      masked: true,
      raw: true,
    });
    expect(sent.secrets).toEqual({
      PASSWORD: {
        file: false,
        vault: {
          server: { url: 'https://v', namespace: '', auth: { name: 'jwt', path: 'jwt', data: { jwt: '$TOKEN' } } },
          engine: { name: 'kv-v2', path: 'ops' },
          path: 'production/db',
          field: 'password',
        },
      },
    });
    expect((await compile(yaml, extra)).notices.map((notice) => `${notice.line} ${notice.message}`)).toEqual([
      '3 `id_tokens`: TOKEN stays unset, a local run cannot issue tokens',
      '7 `secrets`: KEY stays unset, akeyless cannot be asked locally',
    ]);
    expect(await problemsOf(a('secrets: {A: {file: true}}\nid_tokens: {B: {}}'))).toEqual([
      '3:13 jobs:a:secrets:A config must use exactly one of these keys: vault, gcp_secret_manager, azure_key_vault, aws_secrets_manager, gitlab_secrets_manager, akeyless',
      "4:15 jobs:a:id_tokens:B aud can't be blank",
    ]);
  });

  test('keywords without effect give a notice each', async () => {
    const { notices } = await compile(a('identity: google_cloud\ndast_configuration: {site_profile: x}'));
    expect(notices.map((notice) => notice.message)).toEqual([
      '`identity` has no effect locally',
      '`dast_configuration` has no effect locally',
    ]);
  });

  test('job inputs go to the runner', async () => {
    expect((await job(a('inputs: {n: {type: number, default: 5}, s: {default: x}}'), 'a')).inputs).toEqual([
      { key: 'n', value: { type: 'number', content: 5 } },
      { key: 's', value: { type: 'string', content: 'x' } },
    ]);
    expect(await problemsOf(a('inputs: {n: {type: number}, s: {type: boolean, default: x}}'))).toEqual([
      '3:12 jobs:a:inputs:n config must have a default value',
      '3:59 jobs:a:inputs:s default value is not a boolean',
    ]);
  });
});

test('descriptions come from comments', async () => {
  const { jobs } = await compile(
    '# @Description first\na: {script: x}\n# other\n# @Description  second one \nb: {script: x}\nc: {script: x}\n',
  );
  expect(jobs.map((item) => item.description)).toEqual(['first', 'second one', '']);
});
