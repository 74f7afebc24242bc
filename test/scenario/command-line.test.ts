import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeScratch, type Scratch } from '../integration/sources/harness.ts';
import { type Ended, runBuilt, startBuilt } from '../support/built-program.ts';
import { createTestAuthority } from '../support/certificates.ts';
import { needs } from '../support/needs.ts';

let scratch: Scratch;
let app: string;
beforeAll(() => {
  scratch = makeScratch();
  app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q');
  scratch.write('app/.gitlab-ci.yml', 'ok: {script: [echo fine]}\nlater: {script: [echo later], when: manual}\n');
  scratch.write('app/empty.json', '{}');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'first');
});
afterAll(() => scratch[Symbol.dispose]());

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = app): Promise<Ended> {
  const all = { ...scratch.env, XDG_STATE_HOME: join(scratch.root, 'state'), ...env };
  return await runBuilt(args, { cwd, env: all });
}

/** What every answer to a mistake has: the exit code, a text, and nothing of our insides. */
function expectRefusal({ code, stderr }: Ended, exitCode: number, ...texts: readonly string[]): void {
  for (const text of texts) expect(stderr).toContain(text);
  expect(code).toBe(exitCode);
  expect(stderr).not.toMatch(/^ {4}at |this is a bug|node:internal/m);
}

describe.concurrent('help', () => {
  test.each([
    [[], 'Usage: millrace [options] [command]'],
    [['--help'], 'Usage: millrace [options] [command]'],
    [['help', 'run'], 'Usage: millrace run [options]'],
    [['run', '--help'], 'CONFIG_FILE'],
    [['pipeline'], 'Usage: millrace pipeline [options] [command]'],
    [['pipeline', 'help', 'run'], 'Exit codes:'],
    [['pipeline', 'run', '-help'], 'Exit codes:'],
    [['pipeline', 'run', '--help'], 'Global Options:\n  --debug '],
    [['coordinator', '--help'], '--data-dir'],
    [['plan', '--help'], '--payload'],
    [['cache-extractor', '--help'], 'cache-extractor - '],
    [['--version'], 'Compatible:   gitlab-runner'],
    [['-version'], 'Version:'],
  ])('%j', async (args, text) => {
    const { code, stdout, stderr } = await run(args);
    expect(stdout).toContain(text);
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe.concurrent('wrong calls are answered in a line or two', () => {
  test.each<[readonly string[], number, string]>([
    [['bogus'], 1, 'millrace: Command bogus not found.\nCommands: millrace --help\n'],
    [['run-single'], 1, 'millrace: run-single is not in this version\nUse "run"'],
    [['register'], 1, 'register asks questions, and standard input is no terminal'],
    [['register', '--limit', 'x'], 1, '--limit: It must be a whole number.'],
    [['--bogus'], 1, "millrace: unknown option '--bogus'\nOptions: millrace --help\n"],
    [['run', 'extra'], 1, "millrace: too many arguments for 'run'"],
    [['run', '--log-level', 'loud'], 1, '"loud" is not a log level'],
    [['plan'], 1, "millrace: required option '--payload <file>' not specified"],
    [['plan', '--payload', 'none.json'], 1, '--payload none.json: there is no such file'],
    [['coordinator', '--listen', 'x'], 1, '--listen x is not an address to listen on.'],
    [['coordinator', '--data-dir', '/dev/null/x'], 1, 'cannot use the data folder /dev/null/x: ENOTDIR'],
    [['coordinator', '--data-dir', '/proc/x/y'], 1, 'cannot use the data folder /proc/x/y: ENOENT'],
    [['plan', '--payload', 'empty.json'], 1, 'empty.json is not a job payload: id, job_info, git_info, steps missing'],
    [['coordinator', '--inject-faults', 'none.json'], 1, 'There is no file none.json'],
    [['pipeline', 'bogus'], 2, 'Command pipeline bogus not found.\nCommands: run, list, preview, validate\n'],
    [['pipeline', 'run', '--bogus'], 2, "unknown option '--bogus'\nOptions: millrace pipeline run --help\n"],
    [['pipeline', 'run', '--concurrency', '0'], 2, 'It must be at least 1.'],
    [['pipeline', 'list', '--source', 'x'], 2, 'Known: push, api,'],
    [['pipeline', 'list', '--tag', 'v1', '--branch', 'b'], 2, "option '--tag <name>' cannot be used with option"],
    [['pipeline', 'list', '--variable', 'x'], 2, '--variable x: write it as NAME=VALUE'],
    [['pipeline', 'list', '--variables-file', 'none.yml'], 2, '--variables-file none.yml: there is no such file'],
    [['pipeline', 'list', '--variables-file', '.'], 2, '--variables-file . cannot be read: EISDIR'],
    [['pipeline', 'list', '--file', '/etc/passwd'], 2, '--file /etc/passwd lies outside the work tree'],
    [['pipeline', 'list', '--file', 'none.yml'], 2, 'none.yml: Missing CI config file'],
    [['pipeline', 'run', 'none'], 2, 'there is no job "none" in this pipeline\nIts jobs: ok, later\n'],
    [['pipeline', 'run', '--state-dir', '/dev/null/x'], 1, 'Give a writable folder with --state-dir.'],
    [['pipeline', 'run', '--state-dir', '/proc/x'], 1, 'Give a writable folder with --state-dir.'],
    [['pipeline', 'run', '--artifacts-dir', '/proc/x/y'], 2, '--artifacts-dir /proc/x/y cannot be used: ENOENT'],
    [['pipeline', 'run', '--artifacts-dir', '/dev/null/x'], 2, '--artifacts-dir /dev/null/x cannot be used: ENOTDIR'],
    [['pipeline', 'run', '--coordinator', 'nonsense'], 2, '--coordinator nonsense is not the address of a server'],
    [
      ['pipeline', 'run', '--coordinator', 'http://localhost:1', '--admin-token-file', 'x'],
      2,
      'x: there is no such file',
    ],
    [['pipeline', 'run', '--coordinator', 'http://localhost:1', '--tls-ca-file', 'x'], 2, 'x: there is no such file'],
    [
      ['pipeline', 'run', '--coordinator', 'http://127.0.0.1:1/'],
      1,
      'cannot reach the coordinator at http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n',
    ],
  ])('%j', async (args, exitCode, text) => {
    expectRefusal(await run(args, { MILLRACE_ADMIN_TOKEN: 'a-token' }), exitCode, text);
  });

  test('a coordinator without its token', async () => {
    const ended = await run(['pipeline', 'run', '--coordinator', 'http://127.0.0.1:1/']);
    expectRefusal(ended, 2, 'the administrator token of the coordinator is missing', '--admin-token-file');
  });

  test('variables files name the line', async () => {
    scratch.write('broken.env', 'A=1\nnonsense\n');
    scratch.write('broken.yml', 'A: 1\nB: [1]\n');
    expectRefusal(await run(['pipeline', 'list', '--variables-file', '../broken.env']), 2, 'broken.env:2: a line');
    expectRefusal(await run(['pipeline', 'list', '--variables-file', '../broken.yml']), 2, 'broken.yml:2: B must be');
  });

  test('no repository and no configuration', async () => {
    mkdirSync(join(scratch.root, 'nothing'));
    const ended = await run(['pipeline', 'run'], {}, join(scratch.root, 'nothing'));
    expectRefusal(ended, 2, '.gitlab-ci.yml: Missing CI config file');
  });

  test('a manual job that is none', async () => {
    const { code, stderr } = await run(['pipeline', 'run', 'ok', '--manual', 'ok']);
    expect([code, stderr]).toEqual([0, '--manual ok: this job runs by itself.\n']);
  });
});

async function withServer(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe.concurrent('servers that are no coordinator', () => {
  const token = { MILLRACE_ADMIN_TOKEN: 'a-token' };

  test.each<[string, RequestListener, number, string]>([
    ['resets', (_, answer) => void answer.destroy(), 1, 'cannot reach the coordinator at URL: '],
    [
      'resets in the middle of an answer',
      (_, answer) => {
        answer.writeHead(200, { 'Content-Length': '1000' });
        answer.write('[', () => answer.destroy());
      },
      1,
      'cannot reach the coordinator at URL: the connection was lost',
    ],
    [
      'answers with a page',
      (_, answer) => void answer.end('<html>Welcome</html>'),
      2,
      'the server at URL does not answer like a coordinator',
    ],
    [
      'has no such page',
      (_, answer) => void answer.writeHead(404).end('no'),
      2,
      'the server at URL does not answer like a coordinator',
    ],
    [
      'wants another token',
      (_, answer) => void answer.writeHead(401).end('{}'),
      2,
      'the coordinator at URL refuses the administrator token',
    ],
    [
      'is broken',
      (_, answer) => void answer.writeHead(500).end('{"message":"out of order"}'),
      1,
      'answered 500: out of order',
    ],
  ])('%s', async (_name, listener, exitCode, text) => {
    await withServer(listener, async (url) => {
      expectRefusal(
        await run(['pipeline', 'run', 'ok', '--coordinator', url], token),
        exitCode,
        text.replace('URL', url),
      );
    });
  });
});

test.skipIf(!needs('openssl'))('a certificate that nobody here trusts, and its authority', async () => {
  const authority = createTestAuthority(scratch.root, 'authority');
  const { certFile, keyFile } = authority.issue('server');
  const pem = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const server = createSecureServer(pem, (_, answer) => void answer.writeHead(401).end('{}'));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const args = ['pipeline', 'run', 'ok', '--coordinator', url];
    const token = { MILLRACE_ADMIN_TOKEN: 'a-token' };
    const ended = await run(args, token);
    expectRefusal(ended, 1, `the coordinator at ${url}: unable to verify`, '\nName the authority of its certificate');
    expect(ended.stderr).not.toContain('Node.js');
    expectRefusal(
      await run([...args, '--tls-ca-file', authority.certFile], token),
      2,
      'refuses the administrator token',
    );
  } finally {
    server.close();
  }
});

describe('coordinator', () => {
  test('prints what a runner needs, runs a pipeline, and says who is in the way', async () => {
    const env = { ...scratch.env };
    const folder = join(scratch.root, 'coordinator');
    mkdirSync(folder);
    // A relative data folder, which git must not see either.
    const args = ['coordinator', '--listen', '127.0.0.1:0', '--data-dir', 'data'];
    const coordinator = startBuilt(args, { cwd: folder, env });
    await coordinator.printed('executor = "shell"');
    const token = readFileSync(join(folder, 'data', 'admin-token'), 'utf8').trim();
    expect(readFileSync(join(folder, 'data', '.gitignore'), 'utf8')).toBe('*\n');
    const welcome = coordinator.shown();
    const url = /listens on (\S+)/.exec(welcome)?.[1] ?? '';
    expect(welcome).toContain(token);
    scratch.write('coordinator/config.toml', welcome.slice(welcome.indexOf('[[runners]]')));
    const runner = startBuilt(['run', '--config', join(folder, 'config.toml')], { cwd: folder, env });
    const ended = await run(['pipeline', 'run', 'ok', '--coordinator', url], { MILLRACE_ADMIN_TOKEN: token });
    expect(ended.stdout).toContain('ok | fine');
    expect(ended.code).toBe(0);
    const port = new URL(url).port;
    const [taken, used] = await Promise.all([
      run(['coordinator', '--listen', port, '--data-dir', join(folder, 'other')]),
      run(['coordinator', '--listen', '127.0.0.1:0', '--data-dir', join(folder, 'data')]),
    ]);
    expectRefusal(taken, 1, `Cannot listen on 127.0.0.1:${port}`, 'Choose another port with --listen.');
    expectRefusal(used, 1, 'Another coordinator is using the data folder', 'Stop it, or give this one');
    runner.child.kill('SIGQUIT');
    expect((await runner.ended).code).toBe(0);
    coordinator.child.kill('SIGQUIT');
    expect((await coordinator.ended).code).toBe(0);
  });
});

describe.concurrent('run', () => {
  const runner = (executor: string): string =>
    `[[runners]]\nname = "r"\nurl = "http://127.0.0.1:1/"\ntoken = "glrt-token"\nexecutor = "${executor}"\n`;

  test.each<[string, string, string]>([
    ['broken.toml', 'concurrent = 1\n[[runners]\n', 'broken.toml:3:1: '],
    ['types.toml', 'concurrent = "many"\n', 'types.toml:1:14: incompatible types: concurrent: expected an integer'],
    ['level.toml', 'log_level = "loud"\n', 'log_level "loud" is not a log level'],
  ])('%s ends it', async (name, content, text) => {
    scratch.write(`run/${name}`, content);
    expectRefusal(
      await run(['run', '--config', join(scratch.root, 'run', name)]),
      1,
      'FATAL: Service run failed',
      text,
    );
  });

  test.each<[string, string | undefined, string]>([
    ['missing.toml', undefined, 'WARNING: The config file does not exist: no runner is served'],
    ['empty.toml', 'concurrent = 1\n', 'WARNING: The config file has no [[runners]] entry: no runner is served'],
    ['executor.toml', runner('teleport'), 'ERROR: Executor "teleport" is not known'],
    ['unreachable.toml', runner('shell'), 'WARNING: Checking for jobs... failed'],
  ])('%s is said, and it goes on', async (name, content, text) => {
    if (content !== undefined) scratch.write(`run/${name}`, content);
    const env = { ...scratch.env, MILLRACE_STATE_DIR: join(scratch.root, 'run', `${name}.state`) };
    const started = startBuilt(['run', '--config', join(scratch.root, 'run', name)], { cwd: app, env });
    await started.printed(text);
    expect(started.child.exitCode).toBeNull();
    started.child.kill('SIGKILL');
    expect((await started.ended).stderr).not.toMatch(/\x1b|FATAL/);
  });
});

test('a reader that is gone ends nothing', async () => {
  const started = startBuilt(['pipeline', 'run', 'ok'], {
    cwd: app,
    env: { ...scratch.env, XDG_STATE_HOME: join(scratch.root, 'state') },
  });
  started.child.stdout?.destroy();
  expect([(await started.ended).code, (await started.ended).stderr]).toEqual([0, '']);
});
