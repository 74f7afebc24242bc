/** A piece of an argument that the shell expands: literal text, or the name of a variable. */
export type ArgumentPiece = { readonly text: string } | { readonly variable: string };

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}|^\$(HOME)(?=\/)/g;

/** Cuts an expanding argument: only `${NAME}` and a leading `$HOME/` are references, everything else is literal. */
export function argumentPieces(argument: string): readonly ArgumentPiece[] {
  const pieces: ArgumentPiece[] = [];
  let position = 0;
  for (const match of argument.matchAll(REFERENCE)) {
    if (match.index > position) pieces.push({ text: argument.slice(position, match.index) });
    pieces.push({ variable: match[1] ?? match[2] ?? '' });
    position = match.index + match[0].length;
  }
  if (position < argument.length || pieces.length === 0) pieces.push({ text: argument.slice(position) });
  return pieces;
}
