import type { JobVariable } from './job-variable.ts';
import { type VariableLookup, variableLookup } from './lookup.ts';

const REFERENCE = /\$(?:\{([^}]*)\}|(\{)|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))/g;

/**
 * Expands `$NAME` and `${NAME}` once, as the runner does: unknown names and the shell's special parameters become
 * empty, `$$` becomes `$`, a backslash means nothing (spec job-execution.md §11).
 */
export function expandText(text: string, lookup: VariableLookup): string {
  if (!text.includes('$')) return text;
  return text.replace(
    REFERENCE,
    (_match: string, braced?: string, unclosed?: string, special?: string, name?: string) => {
      if (unclosed !== undefined) return '';
      if (special !== undefined) return special === '$' ? '$' : '';
      if (braced === '$') return '$';
      return lookup(braced ?? name ?? '') ?? '';
    },
  );
}

/** Expands every value that is not raw, each against the list as it was before. */
export function expandVariables(variables: readonly JobVariable[], temporaryDirectory: string): readonly JobVariable[] {
  const lookup = variableLookup(variables, temporaryDirectory);
  return variables.map((variable) =>
    variable.raw || !variable.value.includes('$')
      ? variable
      : { ...variable, value: expandText(variable.value, lookup) },
  );
}
