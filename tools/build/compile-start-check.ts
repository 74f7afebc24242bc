import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot } from '../run.ts';

const flags = [
  ['-std=c11', '-Os', '-Wall', '-Wextra', '-Werror'],
  ['-ffreestanding', '-fno-builtin', '-nostdlib', '-static', '-fPIE', '-mgeneral-regs-only'],
  ['-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-tree-loop-distribute-patterns'],
  ['-fcf-protection=none', '-Wl,--build-id=none', '-Wl,--oformat=binary', '-Wl,--entry=0'],
].flat();

/**
 * Compiles start-check.c to the machine code that start-check-code.ts carries. Builds need no compiler; this is for
 * whoever changes the source, and for the test.
 * @throws Error where gcc is missing or finds fault.
 */
export function compileStartCheck(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-start-check-'));
  try {
    const output = join(folder, 'code');
    const script = inRoot('tools', 'build', 'start-check.ld');
    execFileSync('gcc', [...flags, `-Wl,-T,${script}`, '-o', output, inRoot('tools', 'build', 'start-check.c')]);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Text of start-check-code.ts. */
export function startCheckModule(code: Buffer): string {
  const lines = code.toString('base64').match(/.{1,110}/g) ?? [];
  return [
    '// start-check.c as machine code. Made by `npm run build -- --compile-start-check`, which needs gcc.',
    '',
    'const code = `',
    ...lines,
    '`;',
    '',
    '/** The code that the executable starts with; `addStartCheck` puts it in. */',
    'export function startCheckCode(): Buffer {',
    "  return Buffer.from(code, 'base64');",
    '}',
    '',
  ].join('\n');
}
