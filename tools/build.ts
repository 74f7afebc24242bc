// `npm run build` → dist/millrace.cjs (one bundled file) and dist/millrace (one executable that needs no Node).
// `--bundle` stops after the first. `--compile-start-check` only makes build/start-check-code.ts anew.
import { mkdirSync, writeFileSync } from 'node:fs';
import { makeBundle } from './build/bundle.ts';
import { compileStartCheck, startCheckModule } from './build/compile-start-check.ts';
import { makeExecutable } from './build/executable.ts';
import { inRoot } from './run.ts';

if (process.argv.includes('--compile-start-check')) {
  writeFileSync(inRoot('tools', 'build', 'start-check-code.ts'), startCheckModule(compileStartCheck()));
} else {
  mkdirSync(inRoot('dist'), { recursive: true });
  await makeBundle({ entry: 'src/main.ts', output: inRoot('dist', 'millrace.cjs'), isProgram: true });
  if (!process.argv.includes('--bundle')) await makeExecutable(inRoot('dist', 'millrace'));
}
