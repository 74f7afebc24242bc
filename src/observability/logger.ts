/** Fields of a log line. Never tokens, variables or whole payloads. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The operator's log. Message text is constant, data goes into fields.
 * error = someone must act; warn = odd but handled; info = lifecycle; debug = decisions and fallout.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

/** Says nothing; for tests and one-shot commands. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
