import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { needs } from '../../test/support/needs.ts';
import { addStartCheck } from './add-start-check.ts';
import { compileStartCheck } from './compile-start-check.ts';
import { startCheckCode } from './start-check-code.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-start-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const loader = '/lib64/ld-linux-x86-64.so.2';
const isTarget = process.platform === 'linux' && process.arch === 'x64';

/** A Node that starts with the check, and one whose interpreter is nowhere. */
function makePrograms(name: string, code: Buffer): { readonly program: string; readonly stranded: string } {
  const file = readFileSync(process.execPath);
  addStartCheck(file, code);
  const program = writeProgram(name, file);
  file.write('/lib64/ld-nowhere.so.2\0', file.indexOf(`${loader}\0`), 'latin1');
  return { program, stranded: writeProgram(`${name}-stranded`, file) };
}

function writeProgram(name: string, file: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, file);
  chmodSync(path, 0o755);
  return path;
}

function evaluate(command: readonly string[], script: string): unknown {
  const [program = '', ...args] = command;
  const { stdout, stderr } = spawnSync(program, [...args, '-e', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as unknown;
}

const subjects = [
  { name: 'the code in the repository', code: startCheckCode, isHere: isTarget },
  { name: 'the source, compiled here', code: compileStartCheck, isHere: isTarget && needs('gcc') },
];

describe.each(subjects)('$name', ({ name, code, isHere }) => {
  const { program, stranded } = isHere
    ? makePrograms(name.replaceAll(/\W/g, '-'), code())
    : { program: '', stranded: '' };

  test.skipIf(!isHere)('continues in the interpreter; the program keeps its name', () => {
    const script = `console.log(JSON.stringify([process.execPath, fs.readlinkSync('/proc/self/exe'), process.argv0]))`;
    expect(evaluate([program], script)).toEqual([program, program, program]);
  });

  test.skipIf(!isHere)('threads, exceptions through native code, and the program as its own child', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const child = require('node:child_process').spawnSync(process.execPath, ['-p', '6*7'], { encoding: 'utf8' });
      let message;
      try { new WebAssembly.Module(Buffer.from('no')) } catch (error) { message = error.name }
      new Worker('require("node:worker_threads").parentPort.postMessage(1 + 1)', { eval: true })
        .on('message', (sum) => console.log(JSON.stringify([child.stdout, sum, message])));`;
    expect(evaluate([program], script)).toEqual(['42\n', 2, 'CompileError']);
  });

  test.skipIf(!isHere)('is passed over where a loader has linked the program', () => {
    expect(evaluate([loader, program], 'console.log(JSON.stringify(process.argv.length))')).toBe(1);
  });

  test.skipIf(!isHere)('says what is missing, and exits as a shell does that cannot find a program', () => {
    const { status, stdout, stderr } = spawnSync(stranded, ['-p', '1'], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([127, '']);
    expect(stderr).toMatch(
      /^millrace: .* needs the GNU C library \(glibc\).*: \/lib64\/ld-nowhere\.so\.2 is missing\.\n/,
    );
    expect(stderr).toContain('Debian, Ubuntu');
  });
});

describe.skipIf(!isTarget)('what it cannot be added to', () => {
  test('a file that is no program', () => {
    expect(() => addStartCheck(Buffer.alloc(4096, 'text'), startCheckCode())).toThrow('not an ELF program for x86-64');
  });

  test('a program that has it', () => {
    const file = readFileSync(process.execPath);
    addStartCheck(file, startCheckCode());
    expect(() => addStartCheck(file, startCheckCode())).toThrow('is the check in it already?');
  });

  test('a program without room for it', () => {
    const code = Buffer.alloc(3_000_000);
    expect(() => addStartCheck(readFileSync(process.execPath), code)).toThrow(/no executable segment .* unused bytes/);
  });
});
