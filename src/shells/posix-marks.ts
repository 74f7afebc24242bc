import { quoteForPosix } from '../script/posix-quote.ts';

/**
 * A function that writes a command boundary mark to both output streams, so that their readers can be put in step:
 * `RS <mark>:<number>:<b|o> RS`, `b` where both streams get it, `o` where this one only.
 *
 * A stream gets it only while it is still the one the stage began with: the subshell's descriptor is compared with the
 * outer shell's (`$$`). Without /proc nothing is written. Callers keep the true standard error as descriptor 3, because
 * a user's `set -x` shall not show any of this.
 */
export function markFunction(outputMark: string): readonly string[] {
  const format = (kind: string): string => quoteForPosix(`\\036${outputMark}:%s:${kind}\\036`);
  const [both, only] = [format('b'), format('o')];
  return [
    '__millrace_mark() {',
    '  if [ /proc/self/fd/1 -ef "/proc/$$/fd/1" ]; then',
    '    if [ /proc/self/fd/3 -ef "/proc/$$/fd/2" ]; then',
    `      command printf ${both} "$1"`,
    `      command printf ${both} "$1" >&3`,
    '    else',
    `      command printf ${only} "$1"`,
    '    fi',
    '  elif [ /proc/self/fd/3 -ef "/proc/$$/fd/2" ]; then',
    `    command printf ${only} "$1" >&3`,
    '  fi',
    '}',
  ];
}

/** Writes mark number `number`; never fails, never shows up in a shell trace. */
export function markCall(number: number): string {
  return `{ __millrace_mark ${number}; } 3>&2 2>/dev/null || :`;
}
