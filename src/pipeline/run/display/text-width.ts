/** How many characters a text has, as far as columns need it: a code point counts as one. */
export function textWidth(text: string): number {
  return Array.from(text).length;
}

/** A text cut to a width, with a mark that something is missing. */
export function cutToWidth(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
