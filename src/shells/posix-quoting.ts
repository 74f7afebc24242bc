import { quoteForPosix } from '../script/posix-quote.ts';

/** Makes one word of a shell's text; the word means exactly the given text. */
export type Quote = (text: string) => string;

const safeWord = /^[,\-./0-9@A-Z_a-z]+$/;

const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': String.raw`\a`,
  '\b': String.raw`\b`,
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\v': String.raw`\v`,
  '\f': String.raw`\f`,
  '\r': String.raw`\r`,
  "'": String.raw`\'`,
  '\\': '\\\\',
};

/** `$'…'` with every byte that is not plain ASCII escaped: bash, busybox, zsh (spec shells.md §3.2, E). */
export function quoteAnsi(text: string): string {
  const passable = text.replaceAll('\0', '');
  if (safeWord.test(passable)) return passable;
  if (passable === '') return "''";
  return `$'${passable.replace(/[\x01-\x1f'\\]|[^\x01-\x7e]+/gu, escapeAnsi)}'`;
}

function escapeAnsi(match: string): string {
  const short = shortEscapes[match];
  if (short !== undefined) return short;
  let escaped = '';
  for (const byte of new TextEncoder().encode(match)) escaped += `\\x${byte.toString(16).padStart(2, '0')}`;
  return escaped;
}

/** `"…"` as every POSIX shell reads it (FF_POSIXLY_CORRECT_ESCAPES, P): quoted whenever a character is not safe. */
export function quoteDouble(text: string): string {
  const passable = text.replaceAll('\0', '');
  if (safeWord.test(passable)) return passable;
  return `"${passable.replaceAll(/[`"\\$]/g, String.raw`\$&`)}"`;
}

/**
 * `sh` may be any POSIX shell: dash cannot read `$'…'`.
 */
export function selectQuote(shell: 'bash' | 'sh', posixEscapes: boolean): Quote {
  if (posixEscapes) return quoteDouble;
  return shell === 'bash' ? quoteAnsi : quoteForPosix;
}
