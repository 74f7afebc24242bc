import { plainText, terminalText } from './plain-text.ts';
import { cutToWidth, textWidth } from './text-width.ts';

/** Writes lines of jobs with the job's name in front, aligned. */
export type LinePrefixer = (jobName: string, line: string) => string;

const colours = ['36', '35', '33', '32', '34', '96', '95', '93', '92', '94'];
const longestName = 36;

/**
 * @param jobNames of all jobs, in order: they set the width and the colours.
 * @param isTerminal whether the reader sees colours.
 */
export function createLinePrefixer(jobNames: readonly string[], isTerminal: boolean): LinePrefixer {
  const names = [...new Set(jobNames)];
  const width = Math.min(longestName, Math.max(0, ...names.map((name) => textWidth(name))));
  const prefixes = new Map(names.map((name, index) => [name, prefixOf(name, index, width, isTerminal)]));
  return (jobName, line) => {
    const prefix = prefixes.get(jobName) ?? prefixOf(jobName, names.length, width, isTerminal);
    return `${prefix}${isTerminal ? terminalText(line) : plainText(line)}`.trimEnd();
  };
}

function prefixOf(name: string, index: number, width: number, isTerminal: boolean): string {
  const shown = cutToWidth(plainText(name), width);
  const padded = shown + ' '.repeat(width - textWidth(shown));
  if (!isTerminal) return `${padded} | `;
  return `\x1b[${colours[index % colours.length]}m${padded} |\x1b[0m `;
}
