import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRoot } from '../run.ts';
import { addStartCheck } from './add-start-check.ts';
import { makeBundle } from './bundle.ts';
import { cacheAsset, programAsset } from './program-script.ts';
import { startCheckCode } from './start-check-code.ts';

const seaFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Makes one executable of the program and of the Node that runs the build. It appears under its name when it is whole.
 * @throws Error with the output of the step that failed.
 */
export async function makeExecutable(executable: string): Promise<void> {
  const folder = mkdtempSync(join(dirname(executable), '.executable-'));
  try {
    const blob = await makeBlob(folder);
    const program = join(folder, 'millrace');
    copyFileSync(process.execPath, program);
    chmodSync(program, 0o755);
    strip(program);
    must('postject', [program, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', seaFuse]);
    startWithCheck(program);
    renameSync(program, executable);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two scripts with their code caches, as Node wants them: the main script, and the program that it loads. */
async function makeBlob(folder: string): Promise<string> {
  const main = join(folder, 'main.cjs');
  const program = join(folder, 'program.cjs');
  const cache = join(folder, 'program-code-cache');
  const blob = join(folder, 'blob');
  const settings = join(folder, 'settings.json');
  const replacements = { '/commands/command-line.ts': 'tools/build/load-program.ts' };
  await makeBundle({ entry: 'src/main.ts', output: main, replacements });
  await makeBundle({ entry: 'src/commands/command-line.ts', output: program });
  must(process.execPath, [inRoot('tools', 'build', 'code-cache.ts'), program, cache]);
  writeFileSync(
    settings,
    JSON.stringify({
      main,
      output: blob,
      assets: { [programAsset]: program, [cacheAsset]: cache },
      useCodeCache: true,
      useSnapshot: false,
      disableExperimentalSEAWarning: true,
      // NODE_OPTIONS of a job are for the job's own Node, not for helpers that run beside it.
      execArgvExtension: 'none',
    }),
  );
  must(process.execPath, ['--experimental-sea-config', settings]);
  return blob;
}

/** Leaves out symbols and debug information (18 MB); without binutils they stay in, and nothing else changes. */
function strip(program: string): void {
  const result = spawnSync('strip', [program], { encoding: 'utf8' });
  if (result.error !== undefined) console.warn('strip (package binutils) is not here: the executable is larger for it');
  else if (result.status !== 0) throw new Error(`strip failed: ${result.stderr}`);
}

function startWithCheck(program: string): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  const file = readFileSync(program);
  addStartCheck(file, startCheckCode());
  writeFileSync(program, file);
}

/** Runs a step under plain settings: V8 takes a code cache only under the settings it was made with. */
function must(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${command} failed:\n${result.stdout}${result.stderr}`);
}
