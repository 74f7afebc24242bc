import { chmodSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';
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

/**
 * Bundles a part of the program to one CommonJS file. Modules loaded by `import()` stay functions in it that run when
 * they are asked for. Names of functions and classes are kept: they are in error messages and stack traces.
 */
export async function makeBundle(bundle: Bundle): Promise<void> {
  await build({
    absWorkingDir: inRoot(),
    entryPoints: [bundle.entry],
    outfile: bundle.output,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    ...(bundle.isProgram === true && { banner: { js: '#!/usr/bin/env node' } }),
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'undefined', MILLRACE_REVISION: JSON.stringify(revision()) },
    plugins: [withoutLocales, replacing(bundle.replacements ?? {})],
    logLevel: 'warning',
  });
  if (bundle.isProgram === true) chmodSync(bundle.output, 0o755);
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
