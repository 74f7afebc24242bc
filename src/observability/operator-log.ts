import type { Logger as PinoLogger } from 'pino';
import { formatLogLine, type LogFormat, type LogLevel, type LogLine } from './log-format.ts';
import type { LogFields, Logger } from './logger.ts';

/** The operator's log of a process. */
export interface OperatorLog {
  readonly logger: Logger;
  /** The last line before an exit with status 1. */
  fatal(message: string, fields?: LogFields): void;
  /** Both take effect for every child logger too. */
  setLevel(level: LogLevel): void;
  setFormat(format: LogFormat): void;
  /** Writes out what is buffered. To be called before the process exits. */
  flush(): void;
}

/** Where lines go. Lines are short and whole. */
export interface LogDestination {
  write(line: string): void;
  flush(): void;
}

export interface OperatorLogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly isTerminal: boolean;
  readonly destination: LogDestination;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = {
  panic: 60,
  fatal: 60,
  error: 50,
  warning: 40,
  info: 30,
  debug: 20,
  trace: 20,
};

/** Opens the log over pino; a line is shaped when it is written, so level and format may change at any time. */
export async function openOperatorLog(options: OperatorLogOptions): Promise<OperatorLog> {
  const { pino } = await import('pino');
  const { destination, isTerminal } = options;
  const startedAt = Date.now();
  const style = { format: options.format, isTerminal, startedAt };
  const shaper = { write: (record: string): void => destination.write(formatLogLine(parseRecord(record), style)) };
  const root = pino({ level: 'debug', base: null, timestamp: pino.stdTimeFunctions.epochTime }, shaper);
  const threshold = { severity: SEVERITY[options.level] };
  return {
    logger: wrap(root, threshold),
    fatal: (message, fields) => root.fatal(fields ?? {}, message),
    setLevel: (level) => {
      threshold.severity = SEVERITY[level];
    },
    setFormat: (format) => {
      style.format = format;
    },
    flush: () => destination.flush(),
  };
}

/** Standard error, written in the background so that a slow reader does not hold up the jobs. */
export async function standardErrorDestination(): Promise<LogDestination> {
  const { pino } = await import('pino');
  const stream = pino.destination({ dest: 2, sync: false });
  // Nobody reads the log any more: that is no reason to stop the jobs.
  stream.on('error', () => {});
  return {
    write: (line) => void stream.write(line),
    flush: () => {
      try {
        stream.flushSync();
      } catch {
        // Not open yet or not writable any more: there is nothing left to do for these lines.
      }
    },
  };
}

/** Children share the threshold: a level that changes later counts for them too. */
function wrap(inner: PinoLogger, threshold: { readonly severity: number }): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error', severity: number) => (message: string, fields?: LogFields) => {
      if (severity >= threshold.severity) inner[level](fields ?? {}, message);
    };
  return {
    debug: at('debug', SEVERITY.debug),
    info: at('info', SEVERITY.info),
    warn: at('warn', SEVERITY.warning),
    error: at('error', SEVERITY.error),
    child: (fields) => wrap(inner.child(fields), threshold),
  };
}

const levelNames: Readonly<Record<number, LogLevel>> = {
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};

function parseRecord(record: string): LogLine {
  const { level, time, msg, ...fields } = JSON.parse(record) as { level: number; time: number; msg?: string };
  return { level: levelNames[level] ?? 'info', message: msg ?? '', time, fields };
}
