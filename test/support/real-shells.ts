import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ShellName } from '../../src/plan/executor-traits.ts';

/** A shell of this machine, and the form of scripts it is given. */
export interface RealShell {
  readonly name: string;
  readonly command: readonly string[];
  readonly shell: ShellName;
  readonly flags: Readonly<Record<string, boolean>>;
}

const posixEscapes = { FF_POSIXLY_CORRECT_ESCAPES: true };

/** Every combination that jobs meet: dash cannot read scripts made for bash unless they use POSIX escapes. */
export const realShells: readonly RealShell[] = [
  { name: 'bash', command: ['bash'], shell: 'bash', flags: {} },
  { name: 'bash -l', command: ['bash', '-l'], shell: 'bash', flags: {} },
  { name: 'bash, script for sh', command: ['bash'], shell: 'sh', flags: {} },
  { name: 'bash, POSIX escapes', command: ['bash'], shell: 'bash', flags: posixEscapes },
  { name: 'bash, legacy eval', command: ['bash'], shell: 'bash', flags: { FF_USE_LEGACY_BASH_EVAL: true } },
  { name: 'dash, script for sh', command: ['dash'], shell: 'sh', flags: {} },
  { name: 'dash, POSIX escapes', command: ['dash'], shell: 'bash', flags: posixEscapes },
  { name: 'busybox ash, script for sh', command: ['busybox', 'ash'], shell: 'sh', flags: {} },
  { name: 'busybox ash, script for bash', command: ['busybox', 'ash'], shell: 'bash', flags: {} },
];

export function isInstalled(shell: RealShell): boolean {
  const [program = ''] = shell.command;
  return (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(join(directory, program)));
}
