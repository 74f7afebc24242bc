const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const SYNTAX = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Milliseconds of a duration in the syntax of config.toml and GitLab's variables (`1h30m`, `1.5s`); undefined = not one. */
export function parseGoDuration(text: string): number | undefined {
  if (!SYNTAX.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, amount, unit] of text.matchAll(PART))
    nanoseconds += Number(amount) * (UNIT_NS[unit ?? ''] ?? Number.NaN);
  return (text.startsWith('-') ? -nanoseconds : nanoseconds) / 1e6;
}

/** A duration as users of the runner know it: `1h0m0s`, `1.5s`, `200ms`, `0s`. */
export function formatGoDuration(milliseconds: number): string {
  if (milliseconds < 0) return `-${formatGoDuration(-milliseconds)}`;
  if (milliseconds === 0) return '0s';
  if (milliseconds < 1000) return formatBelowSecond(milliseconds);
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
  const seconds = `${trimmed((milliseconds % 60_000) / 1000, 9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function formatBelowSecond(milliseconds: number): string {
  if (milliseconds >= 1) return `${trimmed(milliseconds, 6)}ms`;
  if (milliseconds >= 1e-3) return `${trimmed(milliseconds * 1e3, 3)}µs`;
  return `${Math.round(milliseconds * 1e6)}ns`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
