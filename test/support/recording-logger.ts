import type { LogFields, Logger } from '../../src/observability/logger.ts';

export interface RecordedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps every line, with the fields of the loggers above. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const make = (inherited: LogFields): Logger => {
    const at = (level: RecordedLine['level']) => (message: string, fields?: LogFields) => {
      lines.push({ level, message, fields: { ...inherited, ...fields } });
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => make({ ...inherited, ...fields }),
    };
  };
  return { logger: make({}), lines };
}
