import type { ScriptOperation } from '../script/operations.ts';

export type PrintLevel = Extract<ScriptOperation, { op: 'print' }>['level'];

const reset = '\x1b[0;m';
const starts: Readonly<Record<Exclude<PrintLevel, 'print'>, string>> = {
  notice: '\x1b[32;1m',
  warning: '\x1b[0;33m',
  error: '\x1b[31;1m',
};

/** A line as the trace shows it (spec shells.md §3.3). */
export function coloured(level: PrintLevel, text: string): string {
  return level === 'print' ? `${reset}${text}` : `${starts[level]}${text}${reset}`;
}
