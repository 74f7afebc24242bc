/** A program with its arguments, as operations and conditions have it. */
export interface CommandLine {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly expand?: boolean | readonly string[];
}

/** A piece of an argument that the shell expands: literal text, or the name of a variable. */
export type ArgumentPiece = { readonly text: string } | { readonly variable: string };

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}|^\$(HOME)(?=\/)/g;

/**
 * Cuts an expanding argument: only `${NAME}` and a leading `$HOME/` are references, everything else is literal.
 * @param names where given, only these are.
 */
export function argumentPieces(argument: string, names?: readonly string[]): readonly ArgumentPiece[] {
  const pieces: ArgumentPiece[] = [];
  let position = 0;
  for (const match of argument.matchAll(REFERENCE)) {
    const variable = match[1] ?? match[2] ?? '';
    if (names !== undefined && !names.includes(variable)) continue;
    if (match.index > position) pieces.push({ text: argument.slice(position, match.index) });
    pieces.push({ variable });
    position = match.index + match[0].length;
  }
  if (position < argument.length || pieces.length === 0) pieces.push({ text: argument.slice(position) });
  return pieces;
}
