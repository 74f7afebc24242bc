import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseStatus } from './stage-records.ts';
import { defaultOutputLimits, stageFiles, supervisorScript } from './supervisor-script.ts';

const shells = [['dash'], ['bash'], ['bash', '--posix'], ['busybox', 'sh'], ['ksh'], ['mksh']].filter(
  ([program = '']) => spawnSync(program, ['-c', ':']).status === 0 || spawnSync(program, ['true']).status === 0,
);

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('supervisor under %s', (_name, shell) => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  async function supervise(script: string, readsPerSegment = defaultOutputLimits.readsPerSegment) {
    const directory = mkdtempSync(join(tmpdir(), "super'vise $x "));
    folders.push(directory);
    writeFileSync(join(directory, stageFiles.script), script);
    const text = supervisorScript({
      directory,
      command: ['bash', '-c', 'eval "$(cat)"', "an 'argument'"],
      setsid: spawnSync('setsid', ['true']).status === 0 ? 'setsid' : undefined,
      scriptOnStdin: true,
      limits: { ...defaultOutputLimits, readsPerSegment },
    });
    writeFileSync(join(directory, stageFiles.supervisor), text);
    const [program = '', ...args] = shell;
    const child = spawn(program, [...args, join(directory, stageFiles.supervisor)], {
      stdio: 'ignore',
      detached: true,
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
    const read = (name: string): string => readFileSync(join(directory, name), 'latin1');
    const segments = (stream: string): string[] =>
      readdirSync(directory)
        .filter((name) => new RegExp(`^${stream}\\.\\d+$`).test(name))
        .sort((left, right) => Number(left.split('.')[1]) - Number(right.split('.')[1]));
    return {
      status: parseStatus(read(stageFiles.status)),
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
    expect((await supervise(script)).status).toEqual({ exit, isDone: true });
  });

  it('keeps both streams apart and whole', async () => {
    const stage = await supervise('echo "$0"; echo error >&2; printf end');
    expect(stage.text('stdout')).toBe("an 'argument'\nend");
    expect(stage.text('stderr')).toBe('error\n');
    expect(stage.segments('stdout')).toEqual(['stdout.0']);
  });

  it('goes on in the next file, whatever the size of the reads', async () => {
    const script = 'head -c 700000 /dev/zero | tr "\\0" a; for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.01; done';
    const stage = await supervise(script, 4);
    expect(stage.text('stdout')).toBe(`${'a'.repeat(700_000)}${[1, 2, 3, 4, 5, 6, 7, 8, 9].join('\n')}\n`);
    expect(stage.segments('stdout').length).toBeGreaterThan(4);
  });
});
