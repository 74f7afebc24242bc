// `npm run build` → dist/millrace.cjs (one bundled file) and dist/millrace (one executable that needs no Node).
// `--bundle` stops after the first.
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { inRoot, run, runForOutput } from './run.ts';

const bundle = inRoot('dist', 'millrace.cjs');
const executable = inRoot('dist', 'millrace');
const blob = inRoot('dist', 'millrace.blob');
const settings = inRoot('dist', 'executable.json');
const seaFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

async function makeBundle(): Promise<void> {
  mkdirSync(inRoot('dist'), { recursive: true });
  await build({
    absWorkingDir: inRoot(),
    entryPoints: ['src/main.ts'],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    define: { 'import.meta.url': 'undefined', MILLRACE_REVISION: JSON.stringify(revision()) },
    logLevel: 'warning',
  });
}

function revision(): string {
  const { status, stdout } = runForOutput('git', ['rev-parse', '--short=8', 'HEAD']);
  return status === 0 ? stdout.trim() : 'unknown';
}

function makeExecutable(): void {
  writeFileSync(
    settings,
    JSON.stringify({ main: bundle, output: blob, disableExperimentalSEAWarning: true, useSnapshot: false, useCodeCache: true }),
  );
  must('node', ['--experimental-sea-config', settings]);
  rmSync(executable, { force: true });
  copyFileSync(process.execPath, executable);
  must('postject', [executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', seaFuse]);
  chmodSync(executable, 0o755);
  rmSync(blob);
  rmSync(settings);
}

function must(command: string, args: readonly string[]): void {
  if (run(command, args) !== 0) throw new Error(`${command} failed`);
}

await makeBundle();
if (!process.argv.includes('--bundle')) makeExecutable();
