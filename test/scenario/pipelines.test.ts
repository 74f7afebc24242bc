import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { makeScratch, type Scratch } from '../integration/sources/harness.ts';
import { type Ended, runBuilt } from '../support/built-program.ts';

// One folder a scenario below `pipelines/`: what a user's repository holds, and `expected.json` with what happens when
// the built program runs in it. The files are committed as "first" on branch main.

const folder = fileURLToPath(new URL('pipelines/', import.meta.url));

const runSchema = z.strictObject({
  /** Shell commands in the repository, before this run. */
  before: z.array(z.string()).default([]),
  /** Behind `millrace pipeline`; `{root}` is the folder that holds the repository. */
  args: z.array(z.string()).default(['run']),
  /** Where it is called, from the top of the repository. */
  folder: z.string().default('.'),
  exit: z.number(),
  /** The whole table at the end: name → status. Absent: it is not looked at. */
  jobs: z.record(z.string(), z.string()).optional(),
  /** Whole lines of standard output, trailing blanks aside. */
  lines: z.array(z.string()).default([]),
  /** Whole lines that come in this order. */
  order: z.array(z.string()).default([]),
  /** Regular expressions over standard output. */
  matches: z.array(z.string()).default([]),
  /** Texts that neither stream shows. */
  absent: z.array(z.string()).default([]),
  /** Texts in standard error. */
  errors: z.array(z.string()).default([]),
  /** Files afterwards, with their content. */
  files: z.record(z.string(), z.string()).default({}),
});
const scenarioSchema = z.strictObject({
  /** Shell commands after the first commit. */
  setup: z.array(z.string()).default([]),
  runs: z.array(runSchema).min(1),
});
type Run = z.output<typeof runSchema>;

describe.concurrent('pipelines', () => {
  test.each(readdirSync(folder))('%s', async (name) => {
    const { setup, runs } = scenarioSchema.parse(JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')));
    using scratch = makeScratch();
    const repository = join(scratch.root, 'app');
    cpSync(join(folder, name), repository, { recursive: true, filter: (path) => !path.endsWith('/expected.json') });
    for (const args of [
      ['init', '-q'],
      ['add', '.'],
      ['commit', '-qm', 'first'],
    ])
      scratch.git(repository, ...args);
    shell(scratch, repository, setup);
    for (const run of runs) {
      shell(scratch, repository, run.before);
      check(run, await start(scratch, repository, run), scratch.root);
    }
  });
});

function shell(scratch: Scratch, cwd: string, commands: readonly string[]): void {
  for (const command of commands) execFileSync('sh', ['-ec', command], { cwd, env: scratch.env, stdio: 'pipe' });
}

async function start(scratch: Scratch, repository: string, run: Run): Promise<Ended> {
  const args = run.args.map((argument) => argument.replaceAll('{root}', scratch.root));
  const env = { ...scratch.env, XDG_STATE_HOME: join(scratch.root, 'state') };
  return await runBuilt(['pipeline', ...args], { cwd: join(repository, run.folder), env });
}

function check(run: Run, { code, stdout, stderr }: Ended, root: string): void {
  const shown = stdout.split('\n').map((line) => line.trimEnd());
  const everything = `exit code ${code}\n${stdout}\n${stderr}`;
  expect(code, everything).toBe(run.exit);
  if (run.jobs !== undefined) expect(jobTable(shown), everything).toEqual(run.jobs);
  for (const line of run.lines) expect(shown, everything).toContain(line);
  for (const pattern of run.matches) expect(stdout).toMatch(new RegExp(pattern, 'm'));
  for (const text of run.absent) expect(everything).not.toContain(text);
  for (const text of run.errors) expect(stderr).toContain(text);
  const positions = run.order.map((line) => shown.indexOf(line));
  expect(positions, everything).not.toContain(-1);
  expect(positions, everything).toEqual(positions.toSorted((a, b) => a - b));
  for (const [path, content] of Object.entries(run.files)) {
    expect(readFileSync(path.replaceAll('{root}', root), 'utf8')).toBe(content);
  }
  expect(everything, 'a stack trace is not for users').not.toMatch(/^ {4}at .*:\d+:\d+\)?$/m);
}

/** Name and status out of the table that a run ends with. */
function jobTable(lines: readonly string[]): Record<string, string> {
  const header = lines.findIndex((line) => /^JOB +STAGE +STATUS/.test(line));
  if (header === -1) return {};
  const end = lines.indexOf('', header);
  const rows = lines.slice(header + 1, end).map((line) => line.split(/ {2,}/));
  return Object.fromEntries(rows.map(([name = '', , status = '']) => [name, status]));
}
