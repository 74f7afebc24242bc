const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** A boolean as settings and feature flags are written; undefined = not one (spec job-execution.md §16). */
export function parseBoolean(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

/** How a variable reads where only true or false matters: anything else than a true text or 1 is false (§10). */
export function readBoolean(text: string): boolean {
  const lowered = text.toLowerCase();
  return lowered === 'true' || lowered === 't' || (/^[+-]?0*1$/.test(lowered) && !lowered.startsWith('-'));
}
