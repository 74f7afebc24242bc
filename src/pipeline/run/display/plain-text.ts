const colourSequence = /\x1b\[[0-9;:]*m/g;
/** Everything that moves the cursor, sets titles or talks to the terminal in other ways. */
const escapeSequences = /\x1b\[[0-9;:?<=>]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?/g;
const controlCharacters = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;
const reset = '\x1b[0m';

/** A line as it may go to a terminal: colours stay, everything else that steers it is taken out. */
export function terminalText(line: string): string {
  const kept = line.replace(escapeSequences, (sequence) => (isColour(sequence) ? sequence : ''));
  const text = kept.replace(controlCharacters, '');
  return colourSequence.test(text) ? `${text}${reset}` : text;
}

/** A line as it may go to a file. */
export function plainText(line: string): string {
  return line.replace(escapeSequences, '').replace(controlCharacters, '');
}

function isColour(sequence: string): boolean {
  return /^\x1b\[[0-9;:]*m$/.test(sequence);
}
