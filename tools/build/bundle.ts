import { chmodSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { inRoot, runForOutput } from '../run.ts';

export interface Bundle {
  /** Path in the checkout. */
  readonly entry: string;
  readonly output: string;
  /** Modules to take instead of others: from the end of the import to a path in the checkout. */
  readonly replacements?: Readonly<Record<string, string>>;
  /** Whether the file is a program that a shell can start. */
  readonly isProgram?: boolean;
}

const common = {
  absWorkingDir: inRoot(),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

/**
 * Bundles a part of the program to one CommonJS file. Modules loaded by `import()` stay functions in it that run when
 * they are asked for. Names of functions and classes are kept: they are in error messages and stack traces.
 */
export async function makeBundle(bundle: Bundle): Promise<void> {
  await build({
    ...common,
    entryPoints: [bundle.entry],
    outfile: bundle.output,
    ...(bundle.isProgram === true && { banner: { js: '#!/usr/bin/env node' } }),
    supported: { 'dynamic-import': false },
    define: {
      'import.meta.url': 'undefined',
      MILLRACE_REVISION: JSON.stringify(revision()),
      MILLRACE_ARCHIVE_WORKER: JSON.stringify(await archiveWorker()),
    },
    plugins: [withoutLocales, replacing(bundle.replacements ?? {})],
  });
  if (bundle.isProgram === true) chmodSync(bundle.output, 0o755);
}

/** The script of the threads that pack and unpack archives: a text in the program, for it is one file. */
async function archiveWorker(): Promise<string> {
  const entryPoints = ['src/archive/workers/worker.ts'];
  const { outputFiles } = await build({ ...common, entryPoints, write: false });
  const [script] = outputFiles;
  if (script === undefined) throw new Error('the bundler made no script of the archive worker');
  return script.text;
}

/** zod's messages in fifty languages are half of it; ours are in English, which zod takes from another file. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup(context) {
    context.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

function replacing(replacements: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'replacing',
    setup(context) {
      context.onResolve({ filter: /^\./ }, ({ path }) => {
        const found = Object.keys(replacements).find((end) => path.endsWith(end));
        const replacement = found === undefined ? undefined : replacements[found];
        return replacement === undefined ? undefined : { path: inRoot(replacement) };
      });
    },
  };
}

function revision(): string {
  const { status, stdout } = runForOutput('git', ['rev-parse', '--short=8', 'HEAD']);
  return status === 0 ? stdout.trim() : 'unknown';
}
