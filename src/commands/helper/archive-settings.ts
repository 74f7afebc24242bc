import { availableParallelism } from 'node:os';
import { defaultExtractionLimits, type ExtractionLimits } from '../../archive/extract/limits.ts';
import { CommandError } from '../../lib/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How many pieces are packed at once (`FASTZIP_ARCHIVER_CONCURRENCY`). @throws CommandError for a bad value. */
export function archiverConcurrency(environment: Environment): number {
  return concurrencyFrom(environment['FASTZIP_ARCHIVER_CONCURRENCY'], 'fastzip archiver concurrency');
}

/** How many files are unpacked at once (`FASTZIP_EXTRACTOR_CONCURRENCY`). @throws CommandError for a bad value. */
export function extractorConcurrency(environment: Environment): number {
  return concurrencyFrom(environment['FASTZIP_EXTRACTOR_CONCURRENCY'], 'fastzip extractor concurrency');
}

/**
 * Limits against archives made to fill the disk: `MILLRACE_EXTRACT_MAX_ENTRIES`, `MILLRACE_EXTRACT_MAX_BYTES`.
 * @throws CommandError for a bad value.
 */
export function extractionLimits(environment: Environment): ExtractionLimits {
  return {
    maxEntries: limitFrom(environment, 'MILLRACE_EXTRACT_MAX_ENTRIES', defaultExtractionLimits.maxEntries),
    maxTotalBytes: limitFrom(environment, 'MILLRACE_EXTRACT_MAX_BYTES', defaultExtractionLimits.maxTotalBytes),
  };
}

function concurrencyFrom(text: string | undefined, what: string): number {
  if (text === undefined || text === '') return availableParallelism();
  if (!/^[+-]?\d+$/.test(text)) throw new CommandError(`${what}: ${JSON.stringify(text)} is no whole number`);
  if (Number(text) < 1) throw new CommandError(`${what}: concurrency must be at least 1`);
  return Math.min(Number(text), 256);
}

function limitFrom(environment: Environment, name: string, fallback: number): number {
  const text = environment[name] ?? '';
  if (text === '') return fallback;
  if (!/^[1-9]\d*$/.test(text))
    throw new CommandError(`${name} must be a whole number above zero, not ${JSON.stringify(text)}`);
  return Number(text);
}
