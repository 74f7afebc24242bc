const REFERENCE = /\$(?:\{([^}]*)\}|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))/g;

/** Replaces `$VAR` and `${VAR}`; a variable that is not set is empty. */
export function expandEnvironment(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return text.replace(REFERENCE, (_match, braced?: string, special?: string, plain?: string) => {
    return environment[braced ?? special ?? plain ?? ''] ?? '';
  });
}
