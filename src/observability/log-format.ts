import { unreachable } from '../lib/unreachable.ts';

/** Names as they are shown, most severe first. `trace` is accepted as a level and shows what `debug` shows. */
export const logLevels = ['panic', 'fatal', 'error', 'warning', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['runner', 'text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** One line of the operator's log, before it is written. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LineStyle {
  readonly format: LogFormat;
  /** Colours are for people. */
  readonly isTerminal: boolean;
  /** Start of the process, milliseconds since the epoch. */
  readonly startedAt: number;
}

/** @returns undefined for a name that is no level */
export function parseLogLevel(text: string): LogLevel | undefined {
  const name = text.toLowerCase();
  return name === 'warn' ? 'warning' : logLevels.find((level) => level === name);
}

export function parseLogFormat(text: string): LogFormat | undefined {
  return logFormats.find((format) => format === text);
}

/** The line as it is written, with its line feed (spec commands.md §13). */
export function formatLogLine(line: LogLine, style: LineStyle): string {
  switch (style.format) {
    case 'runner':
      return runnerLine(line, style.isTerminal);
    case 'text':
      return style.isTerminal ? terminalLine(line, style.startedAt) : keyValueLine(line);
    case 'json':
      return `${JSON.stringify({ ...line.fields, level: line.level, msg: line.message, time: isoTime(line) })}\n`;
    default:
      return unreachable(style.format);
  }
}

const RESET = '\x1b[0;m';
const MESSAGE_WIDTH = 50;

const runnerColours: Readonly<Record<LogLevel, string>> = {
  panic: '\x1b[31;1m',
  fatal: '\x1b[31;1m',
  error: '\x1b[31;1m',
  warning: '\x1b[0;33m',
  info: '',
  debug: '\x1b[37;1m',
  trace: '\x1b[37;1m',
};

function runnerLine({ level, message, fields }: LogLine, isTerminal: boolean): string {
  const isPlain = level === 'info' || level === 'debug' || level === 'trace';
  const prefix = isPlain ? '' : `${level.toUpperCase()}: `;
  const [colour, reset] = isTerminal ? [runnerColours[level], RESET] : ['', ''];
  const shown = sortedFields(fields).map(([key, value]) => ` ${colour}${key}${reset}=${plainText(value)}`);
  return `${colour}${`${prefix}${message}`.padEnd(MESSAGE_WIDTH)}${reset} ${shown.join('')}\n`;
}

function keyValueLine(line: LogLine): string {
  const head = `time="${isoTime(line)}" level=${line.level} msg=${quoted(line.message)}`;
  const shown = sortedFields(line.fields).map(([key, value]) => ` ${key}=${quoted(plainText(value))}`);
  return `${head}${shown.join('')}\n`;
}

const TERMINAL_MESSAGE_WIDTH = 44;

const terminalColours: Readonly<Record<LogLevel, number>> = {
  panic: 31,
  fatal: 31,
  error: 31,
  warning: 33,
  info: 36,
  debug: 37,
  trace: 37,
};

function terminalLine({ level, message, time, fields }: LogLine, startedAt: number): string {
  const colour = `\x1b[${terminalColours[level]}m`;
  const seconds = String(Math.floor((time - startedAt) / 1000)).padStart(4, '0');
  const shown = sortedFields(fields).map(([key, value]) => ` ${colour}${key}\x1b[0m=${quoted(plainText(value))}`);
  const label = level.toUpperCase().slice(0, 4);
  return `${colour}${label}\x1b[0m[${seconds}] ${message.padEnd(TERMINAL_MESSAGE_WIDTH)}${shown.join('')}\n`;
}

function sortedFields(fields: LogLine['fields']): readonly (readonly [string, unknown])[] {
  return Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function quoted(text: string): string {
  return /^[a-zA-Z0-9\-._/@^+]+$/.test(text) ? text : JSON.stringify(text);
}

function isoTime(line: LogLine): string {
  return new Date(line.time).toISOString();
}
