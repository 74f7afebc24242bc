const line = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?:"((?:[^"\\]|\\[^])*)"|'([^']*)'|([^\n#]*))/gm;

/**
 * Reads the file with variables that the manager writes for cache commands (spec cache-artifacts.md §12):
 * `KEY="value"` with `\n`, `\r` and `\x` for x. Values are taken as they are, `$` means nothing.
 */
export function parseEnvFile(text: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [, key = '', quoted, literal, bare] of text.matchAll(line)) {
    variables[key] = quoted === undefined ? (literal ?? (bare ?? '').trim()) : unescape(quoted);
  }
  return variables;
}

function unescape(value: string): string {
  return value.replace(/\\([^])/g, (_match, character: string) => {
    if (character === 'n') return '\n';
    return character === 'r' ? '\r' : character;
  });
}
