/** Quotes a text for every POSIX shell: nothing in it means anything. NUL cannot be passed to a program: it is dropped. */
export function quoteForPosix(text: string): string {
  const passable = text.replaceAll('\0', '');
  if (/^[,\-./0-9@A-Z_a-z]+$/.test(passable)) return passable;
  return `'${passable.replaceAll("'", "'\\''")}'`;
}
