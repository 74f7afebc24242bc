import { ConfigError } from '../lib/errors.ts';

const KEY = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{2,64}$/;
const VALUE = /^[a-zA-Z0-9._-]{1,256}$/;
const MOST_LABELS = 32;

type Labels = Readonly<Record<string, string>>;

/**
 * The labels of a runner: its own over those of the whole file (spec config.md §5).
 * @throws ConfigError
 */
export function mergeLabels(global: Labels, own: Labels): Labels {
  for (const labels of [global, own]) checkLabels(labels);
  const merged = { ...global, ...own };
  if (Object.keys(merged).length > MOST_LABELS) {
    throw new ConfigError(`exceeded maximum computed labels number of ${MOST_LABELS}`);
  }
  return merged;
}

function checkLabels(labels: Labels): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!KEY.test(key)) throw new ConfigError(`invalid label key, doesn't match "${KEY.source}": ${key}`);
    if (!VALUE.test(value)) {
      throw new ConfigError(`invalid label value, doesn't match "${VALUE.source}": ${value} (label ${key})`);
    }
  }
}
