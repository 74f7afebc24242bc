import { array, assert, asyncProperty, constantFrom, oneof, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInstalled, realShells } from '../../test/support/real-shells.ts';
import { runScript } from '../../test/support/run-script.ts';
import { quoteForPosix } from '../script/posix-quote.ts';
import { type Quote, quoteAnsi, quoteDouble, selectQuote } from './posix-quoting.ts';

/** What a shell can hold: any text without NUL that is Unicode. */
const anyText = oneof(
  string({ unit: 'binary', maxLength: 40 }),
  string({
    unit: constantFrom(...Array.from(`'"\`$\\!#;&|<>(){}[]*?~^=%@,.-+: \t\n\r\x07\x1b\x7fnx0é日🚀`)),
    maxLength: 40,
  }),
).map((text) => text.replaceAll('\0', '').toWellFormed());

const quotes: readonly { readonly name: string; readonly quote: Quote; readonly shells: readonly string[] }[] = [
  { name: 'ANSI-C', quote: quoteAnsi, shells: ['bash', 'busybox ash, script for bash'] },
  { name: 'double', quote: quoteDouble, shells: ['bash', 'dash, POSIX escapes', 'busybox ash, script for sh'] },
  { name: 'single', quote: quoteForPosix, shells: ['bash', 'dash, POSIX escapes', 'busybox ash, script for sh'] },
];

describe.each(quotes)('$name quotes', ({ quote, shells }) => {
  it.each(realShells.filter(({ name }) => shells.includes(name)))('mean the same bytes in $name', async (real) => {
    if (!isInstalled(real)) return;
    await assert(
      asyncProperty(array(anyText, { minLength: 20, maxLength: 60 }), async (texts) => {
        const script = texts.map((text) => `printf '%s\\0' ${quote(text)}`).join('\n');
        const once = await runScript(real.command, `${script}\n`);
        const nested = await runScript(real.command, `eval ${quote(script)}\n`);
        const expected = texts.map((text) => `${text}\0`).join('');
        expect(once.stdout).toBe(expected);
        expect(nested.stdout).toBe(expected);
      }),
      { numRuns: 15 },
    );
  });

  it('leave plain words alone and never make an empty word', () => {
    expect(quote('a/b-c_d.e,f@1')).toBe('a/b-c_d.e,f@1');
    expect(quote('')).toMatch(/^(''|"")$/);
  });
});

describe('quoting', () => {
  it('writes the ANSI-C form with escapes of two hexadecimal digits', () => {
    expect(quoteAnsi("a b'\\\n\x1bé")).toBe(String.raw`$'a b\'\\\n\x1b\xc3\xa9'`);
  });

  it('quotes whatever is not safe in the POSIX form', () => {
    for (const text of ['a;b', "it's", 'a\nb', 'a\tb', '{a}', '~', 'a^b', 'a+b'])
      expect(quoteDouble(text)).toBe(`"${text}"`);
    expect(quoteDouble('`"\\$')).toBe(String.raw`"\`\"\\\$"`);
  });

  it('drops NUL, which no program can be given', () => {
    expect(quoteAnsi('a\0b')).toBe('ab');
    expect(quoteDouble('a\0b')).toBe('ab');
    expect(quoteForPosix('a\0b')).toBe('ab');
  });

  it('fits the shell', () => {
    expect(selectQuote('bash', false)('a b')).toBe("$'a b'");
    expect(selectQuote('sh', false)('a b')).toBe("'a b'");
    expect(selectQuote('sh', true)('a b')).toBe('"a b"');
  });
});
