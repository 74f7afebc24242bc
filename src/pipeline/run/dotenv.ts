import { ConfigError } from '../../lib/errors.ts';

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*/;

/**
 * Reads `KEY=value` lines as dotenv tools do: comments, `export`, single quotes (as is), double quotes (`\n`, `\"` and
 * so on), values over several lines in quotes.
 * @throws ConfigError that names file and line.
 */
export function parseDotenv(text: string, path: string): readonly { readonly key: string; readonly value: string }[] {
  const variables: { key: string; value: string }[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const match = assignment.exec(line);
    if (match?.[1] === undefined) throw new ConfigError(`${path}:${index + 1}: a line KEY=value is expected`);
    const rest = line.slice(match[0].length);
    const quote = /^["']/.exec(rest)?.[0];
    const value = quote === undefined ? rest : quotedText(rest, quote, lines.slice(index + 1));
    if (value === undefined) throw new ConfigError(`${path}:${index + 1}: the quote ${quote} is not closed`);
    variables.push({ key: match[1], value: valueOf(value, quote) });
    index += value.split('\n').length - 1;
  }
  return variables;
}

/** A text up to the line with its closing quote; undefined where there is none. */
function quotedText(first: string, quote: string, following: readonly string[]): string | undefined {
  let text = first;
  for (const line of following) {
    if (closingQuote(text, quote) !== -1) break;
    text += `\n${line}`;
  }
  return closingQuote(text, quote) === -1 ? undefined : text;
}

function valueOf(text: string, quote: string | undefined): string {
  if (quote === undefined) return text.replace(/(^|\s)#.*$/, '').trimEnd();
  const inner = text.slice(1, closingQuote(text, quote));
  return quote === "'" ? inner : unescape(inner);
}

function closingQuote(text: string, quote: string): number {
  for (let index = 1; index < text.length; index += 1) {
    if (quote === '"' && text[index] === '\\') index += 1;
    else if (text[index] === quote) return index;
  }
  return -1;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function unescape(text: string): string {
  return text.replace(/\\([nrt"\\$])/g, (_whole, character: string) => escapes[character] ?? character);
}
