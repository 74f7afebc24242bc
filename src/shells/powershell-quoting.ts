const escapes: Readonly<Record<string, string>> = {
  '\0': '',
  '\x07': '`a',
  '\b': '`b',
  '\f': '`f',
  '\r': '`r',
  '\n': '`n',
  '\t': '`t',
  '\v': '`v',
};

/** `'…'`: nothing in it means anything. PowerShell takes typographic quotes for quotes, too. */
export function quoteSingle(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll(/['‘’‚‛]/g, '$&$&')}'`;
}

/** `"…"` on one line: the text as it is, `$` too. */
export function quoteValue(text: string): string {
  return `"${escapeText(text)}"`;
}

/** What stands between double quotes. */
export function escapeText(text: string): string {
  return text.replaceAll(/[\0\x07\b\f\r\n\t\v]|[`$"“”„]/g, (match) => escapes[match] ?? `\`${match}`);
}
