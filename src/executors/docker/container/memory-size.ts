import { JobConfigurationError } from '../../../lib/errors.ts';

const units = ['', 'k', 'm', 'g', 't', 'p'];

/**
 * Bytes of a size like `512m` (spec docker.md §9.2); undefined where it is empty.
 * @throws JobConfigurationError
 */
export function parseMemorySize(text: string, key: string): number | undefined {
  if (text.trim() === '') return undefined;
  const match = /^(-?\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text.trim());
  const unit = units.indexOf((match?.[2] ?? '').toLowerCase());
  if (match === null || unit < 0) {
    throw new JobConfigurationError(`[runners.docker] ${key}: ${JSON.stringify(text)} is not a size`, {
      hint: 'Write a number with b, k, m, g, t or p, such as 512m.',
    });
  }
  const size = Number(match[1]);
  return size < 0 ? -1 : Math.floor(size * 1024 ** unit);
}

/**
 * Billionths of a processor, from a decimal or a fraction.
 * @throws JobConfigurationError
 */
export function parseCpus(text: string): number | undefined {
  if (text === '') return undefined;
  const match = /^(\d+(?:\.\d+)?|\.\d+)(?:\/(\d+))?$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / Number(match[2] ?? 1);
  if (!Number.isFinite(value)) throw new JobConfigurationError(`failed to parse ${text} as a rational number`);
  return Math.round(value * 1e9);
}
