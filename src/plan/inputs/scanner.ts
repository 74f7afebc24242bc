import { ExpressionError } from './expression.ts';

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  '"': '"',
  '/': '/',
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Reads a text from left to right. */
export class Scanner {
  readonly text: string;
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.position >= this.text.length;
  }

  skipBlanks(): void {
    while (/\s/.test(this.text.charAt(this.position))) this.position++;
  }

  /** Whether the text goes on with `expected`; nothing is read. */
  sees(expected: string): boolean {
    return this.text.startsWith(expected, this.position);
  }

  /** Reads `expected` if it comes next. */
  take(expected: string): boolean {
    if (!this.sees(expected)) return false;
    this.position += expected.length;
    return true;
  }

  /** As `take`, after blanks. */
  takeToken(token: string): boolean {
    this.skipBlanks();
    return this.take(token);
  }

  expectToken(token: string): void {
    if (!this.takeToken(token)) this.fail(`expected ${JSON.stringify(token)}`);
  }

  /** Reads what a sticky pattern matches here. */
  takeMatch(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text)?.[0];
    if (match !== undefined) this.position += match.length;
    return match;
  }

  takeCharacter(): string {
    const character = this.text.charAt(this.position);
    this.position++;
    return character;
  }

  /** What a backslash in a double-quoted string stands for; the backslash has been read. */
  takeEscape(): string {
    if (this.take('${{')) return '${{';
    const code = this.takeMatch(/u[0-9A-Fa-f]{4}/y);
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const escaped = escapes[this.takeCharacter()];
    return escaped ?? this.fail('unknown escape in a string');
  }

  fail(problem: string): never {
    const near = this.text.slice(this.position, this.position + 20);
    throw new ExpressionError(`${problem} at ${near === '' ? 'the end' : JSON.stringify(near)}`);
  }
}
