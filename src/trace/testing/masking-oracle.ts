/** The masking rules, written down as simply as possible: whole text at once, no speed. Texts are one byte a character. */

interface Span {
  readonly start: number;
  readonly end: number;
}

export function maskPhrases(text: string, phrases: readonly string[]): string {
  const spans: Span[] = [];
  for (const phrase of phrases) {
    for (let start = 0; start + phrase.length <= text.length; start++) {
      if (phrase !== '' && text.startsWith(phrase, start)) spans.push({ start, end: start + phrase.length });
    }
  }
  spans.sort((a, b) => a.start - b.start);
  const chains: { start: number; end: number }[] = [];
  for (const span of spans) {
    const last = chains.at(-1);
    if (last !== undefined && span.start < last.end) last.end = Math.max(last.end, span.end);
    else chains.push({ ...span });
  }
  return replaceSpans(text, chains);
}

export function maskUrlParameters(text: string): string {
  const secret =
    /([?&](?:private_token|authenticity_token|rss_token|x-amz-signature|x-amz-credential|x-amz-security-token)=)[^?&\x00-\x20\x7f]*/gi;
  return text.replace(secret, '$1[MASKED]');
}

export function maskTokens(text: string, prefixes: readonly string[]): string {
  const spans = new Map<number, number>();
  for (const prefix of prefixes) {
    for (let start = prefix.length; start <= text.length; start++) {
      if (!text.slice(0, start).endsWith(prefix)) continue;
      const run = /^[A-Za-z0-9._=-]+/.exec(text.slice(start));
      if (run === null) continue;
      const end = start + run[0].length;
      spans.set(end, Math.min(spans.get(end) ?? start, start));
    }
  }
  const ordered = [...spans].map(([end, start]) => ({ start, end })).sort((a, b) => a.start - b.start);
  return replaceSpans(text, ordered);
}

function replaceSpans(text: string, spans: readonly Span[]): string {
  let output = '';
  let position = 0;
  for (const { start, end } of spans) {
    output += `${text.slice(position, start)}[MASKED]`;
    position = end;
  }
  return output + text.slice(position);
}
