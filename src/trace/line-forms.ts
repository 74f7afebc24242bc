/**
 * The forms of all lines that the manager writes into a trace (spec job-execution.md §14 and §15). Users and tools rely
 * on them byte for byte.
 */
const CLEAR_LINE = '\x1b[0K';
const RESET = '\x1b[0;m';
const BOLD_RED = '\x1b[31;1m';
const BOLD_GREEN = '\x1b[32;1m';
const BOLD_YELLOW = '\x1b[33;1m';
const BOLD_CYAN = '\x1b[36;1m';
const YELLOW = '\x1b[0;33m';

export function printLine(text: string): string {
  return `${CLEAR_LINE}${text}${RESET}\n`;
}

export function infoLine(text: string): string {
  return `${BOLD_GREEN}${text}${RESET}\n`;
}

export function warningLine(text: string): string {
  return `${YELLOW}WARNING: ${text}${RESET}\n`;
}

export function errorLine(text: string): string {
  return `${BOLD_RED}ERROR: ${text}${RESET}\n`;
}

export function sectionTitle(title: string): string {
  return printLine(`${BOLD_CYAN}${title}${RESET}`);
}

/** `atMs`: milliseconds since the epoch. */
export function sectionStartMark(id: string, atMs: number): string {
  return `section_start:${Math.floor(atMs / 1000)}:${id}\r${CLEAR_LINE}`;
}

/** `atMs`: milliseconds since the epoch. */
export function sectionEndMark(id: string, atMs: number): string {
  return `section_end:${Math.floor(atMs / 1000)}:${id}\r${CLEAR_LINE}`;
}

export function overLimitNotice(limitBytes: number): string {
  return (
    `\n${BOLD_YELLOW}Job's log exceeded limit of ${limitBytes} bytes.\n` +
    `Job execution will continue but no more output will be collected.${RESET}\n`
  );
}
