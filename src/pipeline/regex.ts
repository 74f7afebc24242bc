/** A compiled RE2 expression; `matches` searches anywhere in the text. */
export interface Regex {
  matches(text: string): boolean;
}

/** Compiles RE2 expressions; made by `loadRegexEngine`, because the library is only loaded where one is used. */
export interface RegexEngine {
  /** Undefined if RE2 does not accept the expression. `flags` are of `ismU`. */
  compile(source: string, flags: string): Regex | undefined;
}

/** The parts of a `/source/flags` text. */
export interface RegexLiteral {
  readonly source: string;
  readonly flags: string;
}

const LITERAL = /^\/(.+)\/([ismU]*)$/s;

/** Loads the RE2 engine; compiled expressions are remembered by it. */
export async function loadRegexEngine(): Promise<RegexEngine> {
  const { RE2JS } = await import('re2js');
  const known = new Map<string, Regex | undefined>();
  return {
    compile(source, flags) {
      const text = flags === '' ? source : `(?${[...new Set(flags)].join('')})${source}`;
      if (!known.has(text)) known.set(text, compileOne(text));
      return known.get(text);
    },
  };

  function compileOne(text: string): Regex | undefined {
    try {
      const compiled = RE2JS.compile(text);
      return { matches: (subject) => compiled.matcher(subject).find() };
    } catch {
      return undefined;
    }
  }
}

/** Reads `/source/flags`; `\/` stands for a slash. Undefined if the text has another form. */
export function parseRegexLiteral(text: string): RegexLiteral | undefined {
  const match = LITERAL.exec(text);
  if (match === null) return undefined;
  return { source: (match[1] ?? '').replaceAll('\\/', '/'), flags: match[2] ?? '' };
}
