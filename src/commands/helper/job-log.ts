import type { LogFields, Logger } from '../../observability/logger.ts';

const reset = '\u001B[0;m';
/** Messages are padded to this width, prefix included. */
const width = 50;

const styles = {
  debug: { color: '\u001B[37;1m', prefix: '' },
  info: { color: '', prefix: '' },
  warn: { color: '\u001B[0;33m', prefix: 'WARNING: ' },
  error: { color: '\u001B[31;1m', prefix: 'ERROR: ' },
  fatal: { color: '\u001B[31;1m', prefix: 'FATAL: ' },
} as const;

/** Log of a helper command. It is part of the job's log, and users grep it. */
export interface JobLog extends Logger {
  /** The line that ends the command. */
  fatal(message: string, fields?: LogFields): void;
}

/** Writes the line form of spec cache-artifacts.md §1: coloured always, padded, fields sorted by name. */
export function createJobLog(write: (text: string) => void, isDebug = false, common: LogFields = {}): JobLog {
  const line = (level: keyof typeof styles, message: string, fields: LogFields | undefined): void =>
    write(formatLine(level, message, { ...common, ...fields }));
  return {
    debug: (message, fields) => {
      if (isDebug) line('debug', message, fields);
    },
    info: (message, fields) => line('info', message, fields),
    warn: (message, fields) => line('warn', message, fields),
    error: (message, fields) => line('error', message, fields),
    fatal: (message, fields) => line('fatal', message, fields),
    child: (fields) => createJobLog(write, isDebug, { ...common, ...fields }),
  };
}

function formatLine(level: keyof typeof styles, message: string, fields: LogFields): string {
  const { color, prefix } = styles[level];
  const padding = ' '.repeat(Math.max(0, width - prefix.length - Array.from(message).length));
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ` ${color}${key}${reset}=${String(value)}`)
    .join('');
  return `${color}${prefix}${message}${padding}${reset} ${shown}\n`;
}
