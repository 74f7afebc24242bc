import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprint, makeScratch, type Scratch } from '../integration/sources/harness.ts';
import { startProgram } from './pipeline-program.ts';

function makeApp(scratch: Scratch, configuration: string): string {
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q');
  scratch.write('app/.gitlab-ci.yml', configuration);
  scratch.write('app/file.txt', 'committed\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'first');
  return app;
}

test('a pipeline with uncommitted files, artifacts and coverage; the checkout is left as it was', async () => {
  using scratch = makeScratch();
  const app = makeApp(
    scratch,
    `
build:
  stage: build
  script: [cat file.txt new.txt, mkdir out, 'echo "built $SECRET" > out/a.txt', 'echo $SECRET']
  artifacts: {paths: [out]}
unit:
  script: [cat out/a.txt, 'echo "covered 81.5%"']
  coverage: '/covered (\\d+\\.\\d+)%/'
flaky:
  script: [exit 7]
  allow_failure: true
`,
  );
  scratch.write('app/file.txt', 'changed\n');
  scratch.write('app/new.txt', 'untracked\n');
  scratch.write('vars.yml', 'SECRET: {value: hidden-value-1, masked: true}\n');
  const before = fingerprint(app);
  const { code, stdout, stderr } = await startProgram(scratch, app, 'run', {
    artifactsDir: '../artifacts',
    variablesFile: ['../vars.yml'],
  }).ended;
  expect(stdout + stderr).toContain('Pipeline success');
  expect(code).toBe(0);
  expect(fingerprint(app)).toEqual(before);
  expect(stdout).toMatch(/^build \| changed\nbuild \| untracked$/m);
  expect(stdout).toContain('build | [MASKED]');
  expect(stdout).toMatch(/^unit +test +success +[\dms. ]+ +81\.5%$/m);
  expect(stdout).toMatch(/^flaky +test +failed \(exit code 7, allowed\)/m);
  expect(stdout).not.toMatch(/section_start|\x1b|\d\d:\d\d:\d\d\.\d{6}Z/);
  expect(readFileSync(join(scratch.root, 'artifacts', 'build', 'out', 'a.txt'), 'utf8')).toBe('built hidden-value-1\n');
  const state = join(scratch.root, 'state', 'millrace');
  expect(statSync(state).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(state, readdirSync(state)[0] ?? '', 'slot-0'))).not.toContain('sources');
});

test('exit codes: 1 failed, 3 waits, 2 wrong, 0 nothing to do; named jobs; JSON', async () => {
  using scratch = makeScratch();
  const app = makeApp(
    scratch,
    `
stages: [build, gate, after]
ok: {stage: build, script: [echo fine]}
bad: {stage: build, script: [exit 1], rules: [{if: $BREAK, when: on_success}]}
gate: {stage: gate, script: [echo played], rules: [{when: manual}]}
after: {stage: after, script: [echo later]}
`,
  );
  const blocked = await startProgram(scratch, app, 'run').ended;
  expect([blocked.code, blocked.stdout]).toEqual([3, expect.stringContaining('add --manual gate')]);
  const failed = await startProgram(scratch, app, 'run', { variable: ['BREAK=1'], jobs: ['bad'] }).ended;
  expect([failed.code, failed.stdout]).toEqual([1, expect.stringMatching(/^bad +build +failed \(exit code 1\)/m)]);
  const played = await startProgram(scratch, app, 'run', { manual: ['gate'], json: true }).ended;
  expect(played.code).toBe(0);
  const events = played.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; name?: string; status?: string });
  expect(events.at(-1)).toMatchObject({
    type: 'result',
    status: 'success',
    jobs: [{ name: 'ok' }, { name: 'gate' }, { name: 'after' }],
  });
  expect(events.find(({ type, status }) => type === 'job' && status === 'success')).toMatchObject({
    allow_failure: false,
    duration_seconds: expect.any(Number) as number,
  });
  expect(played.stdout).not.toMatch(/"[a-z]+[A-Z]\w*":/);
  const unknown = await startProgram(scratch, app, 'run', { jobs: ['nope'] }).ended;
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('there is no job "nope"')]);
  scratch.write('app/bad.yml', 'ok:\n  script: [echo]\n  stage: nowhere\nworse:\n  scrip: [echo]\n');
  const wrong = await startProgram(scratch, app, 'run', { file: 'bad.yml' }).ended;
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/^bad\.yml:\d+:\d+: .*\n(bad\.yml:\d+:\d+: .*\n)+$/);
  scratch.write('app/never.yml', 'workflow: {rules: [{when: never}]}\nok: {script: [echo]}\n');
  const never = await startProgram(scratch, app, 'run', { file: 'never.yml' }).ended;
  expect([never.code, never.stdout]).toEqual([0, expect.stringContaining('The pipeline did not run.')]);
});

const slow = `
slow:
  script: ['echo "pid $$"', 'echo started', sleep 300]
  after_script: [echo after ran]
`;

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGQUIT', 131],
] as const)('%s cancels: after_script runs, exit code %i', async (signal, exitCode) => {
  using scratch = makeScratch();
  const app = makeApp(scratch, slow);
  const running = startProgram(scratch, app, 'run');
  await running.printed('slow | started');
  running.child.kill(signal);
  const { code, stdout } = await running.ended;
  expect(stdout).toContain('slow | after ran');
  expect(stdout).toMatch(/^slow +test +canceled/m);
  expect(code).toBe(exitCode);
});

test('a second signal stops at once', async () => {
  using scratch = makeScratch();
  const app = makeApp(
    scratch,
    'slow:\n  script: [echo started, sleep 300]\n  after_script: [echo after started, sleep 300]\n',
  );
  const running = startProgram(scratch, app, 'run');
  await running.printed('slow | started');
  running.child.kill('SIGINT');
  await running.printed('slow | after started');
  running.child.kill('SIGINT');
  expect((await running.ended).code).toBe(130);
});

test('what a killed run left is ended by the next one', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch, slow);
  const killed = startProgram(scratch, app, 'run');
  await killed.printed('slow | started');
  const pid = Number(/slow \| pid (\d+)/.exec(killed.output())?.[1]);
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(isAlive(pid)).toBe(true);
  scratch.write('app/quick.yml', 'quick: {script: [echo quick]}\n');
  const next = await startProgram(scratch, app, 'run', { file: 'quick.yml' }).ended;
  expect(next.stderr).toContain('Ended the jobs of a run that was killed.');
  expect(next.code).toBe(0);
  expect(isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('runs side by side in one checkout; each sees the files of its moment', async () => {
  using scratch = makeScratch();
  const app = makeApp(
    scratch,
    'wait:\n  script: [cat file.txt, echo started, \'while [ ! -e "$GO" ]; do sleep 0.05; done\', cat file.txt]\n',
  );
  const options = { variable: [`GO=${scratch.root}/go`] };
  const first = startProgram(scratch, app, 'run', options);
  await first.printed('wait | started');
  scratch.write('app/file.txt', 'second\n');
  const second = startProgram(scratch, app, 'run', options);
  await second.printed('wait | started');
  scratch.write('go', '');
  const [one, two] = await Promise.all([first.ended, second.ended]);
  expect([one.code, two.code]).toEqual([0, 0]);
  expect(one.stdout.match(/wait \| (committed|second)$/gm)).toEqual(['wait | committed', 'wait | committed']);
  expect(two.stdout.match(/wait \| (committed|second)$/gm)).toEqual(['wait | second', 'wait | second']);
});

test('jobs that a killed run did not come to are not run by the next one', async () => {
  using scratch = makeScratch();
  const app = makeApp(
    scratch,
    "one: {script: [echo started, sleep 300]}\ntwo: {stage: deploy, script: ['touch $TRAP']}\nthree: {script: ['touch $TRAP']}\n",
  );
  const killed = startProgram(scratch, app, 'run', { concurrency: 1, variable: [`TRAP=${scratch.root}/trap`] });
  await killed.printed('one   | started');
  killed.child.kill('SIGKILL');
  await killed.ended;
  scratch.write('app/quick.yml', 'quick: {script: [echo quick]}\n');
  const next = await startProgram(scratch, app, 'run', { file: 'quick.yml' }).ended;
  expect(next.code).toBe(0);
  expect(() => statSync(join(scratch.root, 'trap'))).toThrow('ENOENT');
});
