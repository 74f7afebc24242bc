import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  payloadFixture,
  planRequestFixture,
  runnerFixture,
  shellTraits,
  variablesFixture,
} from '../../test/support/plan-fixtures.ts';
import { isInstalled, type RealShell, realShells } from '../../test/support/real-shells.ts';
import { type RunOptions, runScript, type ScriptRun } from '../../test/support/run-script.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { planBuild } from '../plan/plan-build.ts';
import type { PlanRequest } from '../plan/plan-request.ts';
import { when } from '../script/build-operations.ts';
import type { ScriptCondition } from '../script/operations.ts';
import { generateScript } from './generate-script.ts';

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-shell-')));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function planFor(
  real: Pick<RealShell, 'shell' | 'flags'>,
  payload: Record<string, unknown>,
  changes: Partial<PlanRequest> = {},
): BuildPlan {
  const plan = planBuild(
    planRequestFixture({
      payload: payloadFixture(payload),
      runner: runnerFixture({ shell: real.shell, featureFlags: real.flags }),
      traits: {
        ...shellTraits,
        defaultBuildsDir: join(directory, 'builds'),
        defaultCacheDir: join(directory, 'cache'),
      },
      ...changes,
    }),
  );
  if (plan.directories.project.startsWith('/')) mkdirSync(plan.directories.project, { recursive: true });
  return plan;
}

function runStage(real: RealShell, plan: BuildPlan, stage: StagePlan, options: RunOptions = {}): Promise<ScriptRun> {
  return runScript(real.command, generateScript(stage, plan, { jobStatus: 'running' }), options);
}

function script(...lines: readonly string[]) {
  return { steps: [{ name: 'script', script: lines }] };
}

function scriptStage(plan: BuildPlan): StagePlan {
  const [stage] = plan.stages.steps;
  if (stage === undefined) throw new Error('the plan has no step');
  return stage;
}

async function runLines(real: RealShell, lines: readonly string[], payload: Record<string, unknown> = {}) {
  const plan = planFor(real, { ...script(...lines), ...payload });
  return await runStage(real, plan, scriptStage(plan));
}

describe.each(realShells)('a stage script in $name', (real) => {
  const present = isInstalled(real);
  const legacy = real.flags['FF_USE_LEGACY_BASH_EVAL'] === true;

  it.skipIf(!present)('ends with the code of what failed', async () => {
    expect(await runLines(real, ['exit 3'])).toMatchObject({ code: 3 });
    expect(await runLines(real, ['sh -c "exit 42"', 'echo not reached'])).toMatchObject({ code: legacy ? 1 : 42 });
    expect((await runLines(real, ['false', 'echo not reached'])).stdout).not.toContain('\nnot reached');
    expect(await runLines(real, ['set +e; false; true'])).toMatchObject({ code: 0 });
    expect(await runLines(real, ['true'])).toMatchObject({ code: 0 });
  });

  it.skipIf(!present)('does not show itself when it is killed', async () => {
    const variables = variablesFixture({ TOLD: 'value of a variable' });
    const { stdout, stderr, code } = await runLines(real, ['exec sh -c "kill -KILL \\$\\$"'], { variables });
    expect(stdout + stderr).not.toContain('value of a variable');
    expect(code).not.toBe(0);
    expect((await runLines(real, ['set | grep -c "^__millrace_script=" || true'])).stdout).toMatch(/^0$/m);
  });

  it.skipIf(!present)('fails with a failing element of a pipeline where the shell can', async () => {
    const knowsPipefail = real.command[0] !== 'dash';
    const run = await runLines(real, ['false | true', 'echo "went on"']);
    expect(run.code === 0).toBe(!knowsPipefail);
  });

  it.skipIf(!present)('keeps variables, functions and the directory from one command to the next', async () => {
    const run = await runLines(real, ['a=1; f() { echo "f says $a"; }', 'cd /', 'f; pwd']);
    expect(run.stdout).toContain('f says 1\n/\n');
  });

  it.skipIf(!present)('gives commands an empty standard input', async () => {
    const run = await runLines(real, ['cat; echo "cat ended"', 'read -r x || echo "nothing to read"', 'echo last']);
    expect(run.stdout).toContain('cat ended');
    expect(run.stdout).toContain('\nlast\n');
    expect(run.stdout).not.toContain('exit 0');
  });

  it.skipIf(!present)('exports values byte for byte', async () => {
    const values = {
      QUOTES: `it's "quoted" \`tick\` \\back\\slash\\n`,
      DOLLARS: '$HOME ${HOME} $(id)',
      LINES: '\nfirst\nsecond\n\n',
      TRAILING: 'ends with blank ',
      WORDS: 'käse 日本語 🚀 \x7f \x01 \t',
      SPECIAL: 'a;b&c|d<e>f(g)h{i}j~k^l+m#n!o*p?q[r]s=t%u@v',
      TILDE: '~/x',
      EMPTY: '',
    };
    const variables = Object.entries(values).map(([key, value]) => ({ key, value, raw: true, public: true }));
    const print = Object.keys(values).map((key) => `printf '%s\\0' "$${key}"`);
    const plan = planFor(real, { ...script(print.join('; ')), variables });
    const run = await runStage(real, plan, scriptStage(plan));
    expect(run.stderr).toBe('');
    const printed = run.stdout
      .slice(run.stdout.indexOf('\x1b[0;m\n') + 6)
      .split('\0')
      .slice(0, -1);
    expect(printed).toEqual(Object.values(values));
  });

  it.skipIf(!present)('writes file variables byte for byte and hands out their path', async () => {
    const content = "-----BEGIN X-----\n it's $HOME \\n\n\nüñí\n";
    const plan = planFor(real, {
      ...script('cat "$SECRET_FILE"', 'echo "path $SECRET_FILE"'),
      variables: [{ key: 'SECRET_FILE', value: content, file: true, raw: true }],
    });
    const run = await runStage(real, plan, scriptStage(plan));
    expect(run.stdout).toContain(content);
    expect(run.stdout).toContain(`path ${plan.directories.temporary}/SECRET_FILE`);
    expect(readFileSync(`${plan.directories.temporary}/SECRET_FILE`, 'utf8')).toBe(content);
  });

  it.skipIf(!present)('hands GITLAB_ENV on and passes over lines that are none', async () => {
    const plan = planFor(real, {
      steps: [
        {
          name: 'script',
          script: [
            `printf '%s\\n' 'ONE=1 and more' 'TWO=a=b' '' 'no assignment' 'A-B=3' '1X=4' '=5' > "$GITLAB_ENV"`,
            `printf 'LAST=no line end' >> "$GITLAB_ENV"`,
          ],
        },
        { name: 'after_script', script: ['echo "[$ONE][$TWO][$LAST]"'] },
      ],
    });
    expect(await runStage(real, plan, scriptStage(plan))).toMatchObject({ code: 0 });
    const { afterScript } = plan.stages;
    if (afterScript === undefined) throw new Error('no after_script');
    const run = await runStage(real, plan, afterScript);
    expect(run.stdout).toContain('[1 and more][a=b][no line end]');
    for (const line of [4, 5, 6, 7]) expect(run.stdout).toContain(`GITLAB_ENV: line ${line} is not KEY=VALUE`);
    expect(run.stdout).not.toContain('no assignment');
    expect(run.code).toBe(0);
  });

  it.skipIf(!present)('survives GITLAB_ENV lines for read-only variables', async () => {
    const plan = planFor(real, script('echo "went on [$OK]"'));
    mkdirSync(plan.directories.temporary, { recursive: true });
    writeFileSync(`${plan.directories.temporary}/gitlab_runner_env`, 'UID=12\nPPID=1\nOK=yes\n');
    const run = await runStage(real, plan, scriptStage(plan));
    expect(run.stdout).toContain('went on [yes]');
    expect(run.code).toBe(0);
  });

  it.skipIf(!present)('leaves out variables whose names no shell can have', async () => {
    const plan = planFor(real, { ...script('echo "went on"'), variables: variablesFixture({ 'A-B': 'x', '1C': 'y' }) });
    expect(await runStage(real, plan, scriptStage(plan))).toMatchObject({ code: 0 });
    expect(plan.settingsProblems.join('\n')).toContain('"A-B"');
  });

  it.skipIf(!present)('ends on SIGTERM without printing its text', async () => {
    const plan = planFor(real, {
      ...script('sh -c "echo ready to wait; exec sleep 60"; echo not reached'),
      variables: [{ key: 'SECRET', value: 'very secret value', masked: true }],
    });
    const run = await runStage(real, plan, scriptStage(plan), {
      onOutput: (stdout, kill) => {
        if (stdout.includes('\nready to wait')) kill('SIGTERM');
      },
    });
    expect(run.code === 0).toBe(false);
    expect(run.stdout + run.stderr).not.toContain('very secret value');
    expect(run.stdout).not.toContain('\nnot reached');
  });

  it.skipIf(!present)('works in directories with any name', async () => {
    const odd = join(directory, `it's a "dir" $HOME ä & (x)`);
    const plan = planFor(real, script('pwd', 'cat "$F"', 'echo "$CI_PROJECT_DIR"'), {
      traits: { ...shellTraits, defaultBuildsDir: odd, defaultCacheDir: join(directory, 'cache') },
      payload: payloadFixture({
        ...script('pwd', 'cat "$F"', 'echo "$CI_PROJECT_DIR"'),
        variables: [{ key: 'F', value: 'content', file: true }],
      }),
    });
    const run = await runStage(real, plan, scriptStage(plan));
    expect(run.stderr).toBe('');
    expect(run.stdout).toContain(`\n${plan.directories.project}\n`);
    expect(run.stdout).toContain('content');
  });

  it.skipIf(!present)('takes a relative builds directory from where it starts', async () => {
    const request = {
      traits: { ...shellTraits, defaultBuildsDir: 'builds', defaultCacheDir: 'cache' },
      payload: payloadFixture({
        ...script('pwd', 'cat "$F"', 'echo "$RUNNER_TEMP_PROJECT_DIR $GITLAB_ENV"'),
        variables: [{ key: 'F', value: 'content', file: true }],
      }),
    };
    const plan = planFor(real, {}, request);
    mkdirSync(join(directory, plan.directories.project), { recursive: true });
    const run = await runStage(real, plan, scriptStage(plan), { cwd: directory });
    const temporary = join(directory, plan.directories.temporary);
    expect(run.stderr).toBe('');
    expect(run.stdout).toContain(`\n${join(directory, plan.directories.project)}\n`);
    expect(run.stdout).toContain(`${temporary} ${temporary}/gitlab_runner_env`);
    expect(run.stdout).toContain('content');
  });

  it.skipIf(!present)('echoes commands exactly', async () => {
    const run = await runLines(real, [String.raw`: 'a\nb\tc' "q" $x %s`, 'echo one\necho two', '']);
    expect(run.stdout).toContain(`\x1b[32;1m$ : 'a\\nb\\tc' "q" $x %s\x1b[0;m\n`);
    expect(run.stdout).toContain('\x1b[32;1m$ echo one # collapsed multi-line command\x1b[0;m\none\ntwo\n\n');
  });

  it.skipIf(!present)('shows multi-line commands as sections where asked to', async () => {
    const plan = planFor(
      { ...real, flags: { ...real.flags, FF_SCRIPT_SECTIONS: true } },
      script('echo one', String.raw`printf 'a\nb'` + '\necho two'),
    );
    const run = await runStage(real, plan, scriptStage(plan));
    expect(run.stdout).toMatch(
      /section_start:\d+:section_script_step_1\[hide_duration=true,collapsed=true\]\r\x1b\[0K\x1b\[32;1m\$ printf 'a\\nb'\necho two\x1b\[0;m\nsection_end:\d+:section_script_step_1\r\x1b\[0K\n/,
    );
  });

  it.skipIf(!present)('checks the code of every command where asked to', async () => {
    const checked = { ...real, flags: { ...real.flags, FF_ENABLE_BASH_EXIT_CODE_CHECK: true } };
    expect(await runLines(checked, ['false && true', 'echo not reached'])).toMatchObject({ code: 1 });
    expect(await runLines(real, ['false && true', 'echo reached'])).toMatchObject({ code: 0 });
  });

  it.skipIf(!present)('does the work of stages without user commands', async () => {
    const plan = planFor(real, script('true'));
    mkdirSync(plan.directories.temporary, { recursive: true });
    writeFileSync(`${plan.directories.temporary}/gitlab_runner_env`, 'A=1\n');
    mkdirSync(`${plan.directories.project}/.git/refs/heads/deep`, { recursive: true });
    writeFileSync(`${plan.directories.project}/.git/index.lock`, '');
    const prepared = await runStage(real, plan, plan.stages.prepareScript);
    expect(prepared.stdout).toMatch(/^Running on \S+\.\.\.\n$/);
    expect(existsSync(`${plan.directories.temporary}/gitlab_runner_env`)).toBe(false);
    expect(await runStage(real, plan, plan.stages.cleanup)).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(`${plan.directories.project}/.git/index.lock`)).toBe(false);
  });

  it.skipIf(!present)('removes by name and whole directories', async () => {
    const plan = planFor(real, {});
    const refs = `${plan.directories.project}/.git/refs`;
    mkdirSync(`${refs}/a/hooks/hooks`, { recursive: true });
    writeFileSync(`${refs}/a/x.lock`, '');
    writeFileSync(`${refs}/a/keep`, '');
    mkdirSync(`${plan.directories.project}/locked/in`, { recursive: true });
    const stage: StagePlan = {
      ...plan.stages.prepareScript,
      operations: [
        { op: 'removeByName', kind: 'file', path: refs, name: '*.lock' },
        { op: 'removeByName', kind: 'directory', path: refs, name: 'hooks' },
        { op: 'removeByName', kind: 'file', path: `${refs}/absent`, name: '*.lock' },
        { op: 'removeDirectory', path: `${plan.directories.project}/locked` },
        { op: 'removeDirectory', path: `${plan.directories.project}/absent` },
      ],
    };
    expect(await runStage(real, plan, stage)).toMatchObject({ code: 0, stderr: '' });
    expect(
      [`${refs}/a/x.lock`, `${refs}/a/hooks`, `${plan.directories.project}/locked`].map((path) => existsSync(path)),
    ).toEqual([false, false, false]);
    expect(existsSync(`${refs}/a/keep`)).toBe(true);
  });

  it.skipIf(!present)('decides by conditions', async () => {
    const plan = planFor(real, {});
    const said = (text: string) => [{ op: 'print', level: 'print', text } as const];
    const decide = (condition: ScriptCondition, text: string) =>
      when(condition, said(`${text} yes`), said(`${text} no`));
    const stage = {
      ...plan.stages.prepareScript,
      operations: [
        decide({ test: 'isDirectory', path: '/tmp' }, 'directory'),
        decide({ test: 'exists', path: '/absent' }, 'absent'),
        decide({ test: 'isReadable', path: '$HOME/.x' }, 'readable'),
        decide({ test: 'succeeds', command: 'echo', arguments: ['loud'], silent: false }, 'loud'),
        decide({ test: 'succeeds', command: 'echo', arguments: ['quiet'], silent: true }, 'quiet'),
        decide({ test: 'succeeds', command: 'command', arguments: ['-v', 'no-such-program'], silent: true }, 'program'),
        decide({ test: 'gitAtLeast', version: '2.9' }, 'git 2.9'),
        decide({ test: 'gitAtLeast', version: '99.1' }, 'git 99'),
        { op: 'commandWithInput', input: 'in\nput', command: 'cat', arguments: [], bestEffort: false },
        { op: 'commandWithInput', input: '', command: 'false', arguments: [], bestEffort: true },
      ],
    } satisfies StagePlan;
    const run = await runStage(real, plan, stage);
    expect(run.stderr).toBe('');
    expect(run.stdout.replaceAll('\x1b[0;m', '').trim().split('\n')).toEqual([
      'directory yes',
      'absent no',
      'readable no',
      'loud',
      'loud yes',
      'quiet yes',
      'program no',
      'Git version at least "2.9"',
      'git 2.9 yes',
      'git 99 no',
      'in',
      'put',
    ]);
  });
});
