import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseStatus } from './stage-records.ts';
import {
  beginLine,
  defaultOutputLimits,
  type SupervisedShell,
  stageFiles,
  supervisorArguments,
  supervisorScript,
} from './supervisor-script.ts';

const shells = [['dash'], ['bash'], ['bash', '--posix'], ['busybox', 'sh'], ['ksh'], ['mksh']].filter(
  ([program = '']) => spawnSync(program, ['-c', ':']).status === 0 || spawnSync(program, ['true']).status === 0,
);

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('supervisor under %s', (_name, shell) => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  /** In a pipeline mksh does not say which child a signal ended: the exit is told as `exit status 137`. */
  const isSilentOnSignals = shell[0] === 'mksh';

  interface Supervised {
    readonly shell?: Partial<SupervisedShell>;
    readonly readsPerSegment?: number;
    /** Whether the stage is begun; else only the pipe ends. */
    readonly begins?: boolean;
  }

  async function supervise(script: string, options: Supervised = {}) {
    const parent = mkdtempSync(join(tmpdir(), "super'vise $x "));
    folders.push(parent);
    const [first, directory, program] = [join(parent, 'first'), join(parent, 'stage'), join(parent, 'supervise')];
    mkdirSync(first);
    const { readsPerSegment = defaultOutputLimits.readsPerSegment } = options;
    writeFileSync(program, supervisorScript({ ...defaultOutputLimits, readsPerSegment }));
    const supervised: SupervisedShell = {
      feed: 'stdin',
      workingDirectory: tmpdir(),
      command: ['bash', '-c', 'eval "$(cat)"', "an 'argument'"],
      setsid: spawnSync('setsid', ['true']).status === 0 ? 'setsid' : undefined,
      ...options.shell,
    };
    const [file = '', ...args] = shell;
    const child = spawn(file, [...args, program, ...supervisorArguments(supervised)], {
      cwd: first,
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // At any time before the stage begins; often before the supervisor has read its program.
    renameSync(first, directory);
    writeFileSync(join(directory, stageFiles.script), script);
    child.stdin.end(options.begins === false ? '' : beginLine(supervised.feed, directory));
    const [code] = (await once(child, 'exit')) as [number | null];
    const read = (name: string): string => readFileSync(join(directory, name), 'latin1');
    const segments = (stream: string): string[] =>
      readdirSync(directory)
        .filter((name) => new RegExp(`^${stream}\\.\\d+$`).test(name))
        .sort((left, right) => Number(left.split('.')[1]) - Number(right.split('.')[1]));
    const hasStatus = readdirSync(directory).includes(stageFiles.status);
    return {
      code,
      status: parseStatus(hasStatus ? read(stageFiles.status) : undefined),
      text: (stream: string) => segments(stream).map(read).join(''),
      segments,
    };
  }

  it.each([
    ['exit 0', { code: 0, text: 'exit status 0' }],
    ['exit 137', { code: 137, text: 'exit status 137' }],
    ['kill -9 $$', { code: -1, text: 'signal: killed' }],
    ['kill -TERM $$', { code: -1, text: 'signal: terminated' }],
    ['kill -9 0', { code: -1, text: 'signal: killed' }],
  ])('tells the end of %j', async (script, exit) => {
    if (exit.code < 0 && isSilentOnSignals) return;
    expect((await supervise(script)).status).toEqual({ hasBegun: true, exit, isDone: true });
  });

  it('keeps both streams apart and whole', async () => {
    const stage = await supervise('echo "$0"; echo error >&2; printf end');
    expect(stage.text('stdout')).toBe("an 'argument'\nend");
    expect(stage.text('stderr')).toBe('error\n');
    expect(stage.segments('stdout')).toEqual(['stdout.0']);
  });

  it('goes on in the next file, whatever the size of the reads', async () => {
    const script = 'head -c 700000 /dev/zero | tr "\\0" a; for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.01; done';
    const stage = await supervise(script, { readsPerSegment: 4 });
    expect(stage.text('stdout')).toBe(`${'a'.repeat(700_000)}${[1, 2, 3, 4, 5, 6, 7, 8, 9].join('\n')}\n`);
    expect(stage.segments('stdout').length).toBeGreaterThan(4);
  });

  it('gives PowerShell its script as a file', async () => {
    const stage = await supervise('', { shell: { feed: 'file', command: ['sh', '-c', 'echo "$0"; cat; pwd'] } });
    expect(stage.text('stdout')).toMatch(/\/stage\/script\.ps1\n/);
    expect(stage.text('stdout')).toContain(`\n${realpathSync(tmpdir())}\n`);
  });

  it('starts no shell where nobody tells it to', async () => {
    const stage = await supervise('echo started', { begins: false });
    expect(stage.status).toEqual({ hasBegun: false, exit: undefined, isDone: false });
    expect(stage.segments('stdout')).toEqual([]);
  });

  it.each([
    ['exit 7', { code: 7, text: 'exit status 7' }],
    ['kill -9 $$', { code: -1, text: 'signal: killed' }],
  ])('lets a shell that waits for its script run it: %s', async (script, exit) => {
    if (exit.code < 0 && isSilentOnSignals) return;
    const command = ['bash', '-l'];
    const stage = await supervise(`echo "$PWD"; echo "\${OLDPWD-none}"; ${script}`, {
      shell: { feed: 'shell', command },
    });
    expect(stage.text('stdout')).toBe(`${realpathSync(tmpdir())}\nnone\n`);
    expect(stage.status).toEqual({ hasBegun: true, exit, isDone: true });
  });
});

/** The shells of users, which read the line that begins a stage themselves. */
const loginShells = shells.filter((shell) => !shell.includes('--posix'));

describe.each(loginShells.map((shell) => [shell.join(' '), shell] as const))('a stage begun in %s', (_name, shell) => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  async function runShell(profile: string, script: string, begins = true) {
    const directory = mkdtempSync(join(tmpdir(), "be'gin $x "));
    folders.push(directory);
    writeFileSync(join(directory, '.profile'), profile);
    writeFileSync(join(directory, stageFiles.script), script);
    writeFileSync(join(directory, stageFiles.status), '');
    const [file = '', ...args] = shell;
    const child = spawn(file, [...args, '-l'], { env: { ...process.env, HOME: directory } });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stdin.end(begins ? beginLine('shell', directory) : '');
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, status: readFileSync(join(directory, stageFiles.status), 'utf8') };
  }

  it('runs the script after its profile, whatever that has set', async () => {
    const run = await runShell('set -C; set -eu; P=profile; cd /; umask 027', 'echo "$P"\nf() {\n  exit 3\n}\nf\n');
    expect(run).toEqual({ code: 3, stdout: 'profile\n', status: 'begun\n' });
  });

  it('reads a long script and leaves the end of input to its commands', async () => {
    const filler = Array.from({ length: 3000 }, (_, line) => `: line ${line} of many that fill more than one buffer`);
    const run = await runShell('', `${filler.join('\n')}\nprintf end\nexec cat\n`);
    expect(run).toEqual({ code: 0, stdout: 'end', status: 'begun\n' });
  });

  it('runs nothing when the pipe ends before the line', async () => {
    expect(await runShell('', 'echo started', false)).toEqual({ code: 0, stdout: '', status: '' });
  });

  it('does not count as begun when its profile ends it', async () => {
    expect(await runShell('exit 5', 'echo started')).toEqual({ code: 5, stdout: '', status: '' });
  });
});
