import type { Side } from './normalise.ts';

/** A deliberate difference that scenarios show, and what makes both sides equal in spite of it. */
export interface Difference {
  /** First cell of the row in docs/differences.md that gives the reason. */
  readonly row: string;
  readonly apply: (transcript: string, side: Side) => string;
}

export const differences = {
  firstLine: {
    row: 'trace, first line',
    apply: (text) => text.replaceAll(/^((?:00O )?\\e\[0KRunning with ).*$/gm, '$1PROGRAM'),
  },
  runtimePlatform: {
    row: 'first line of cache and artifact commands (shell executor)',
    apply: (text) => text.replaceAll(/^01E Runtime platform .*\n/gm, ''),
  },
  cacheManifest: {
    row: 'unchanged cache',
    apply: (text) => text.replaceAll(/^600 cache\/.*\/manifest\.json\n/gm, ''),
  },
  unchangedCache: {
    row: 'unchanged cache',
    apply: (text) =>
      text.replaceAll(
        /^01E (?:Archive is up to date! +|No URL provided, cache will not be uploaded.*)\\e\[0;m $/gm,
        '01E (saved or unchanged)',
      ),
  },
  filesAfterStop: {
    row: 'after an abort or job timeout',
    apply: (text) => text.replaceAll(/^.*\.tmp\/gitlab_runner_env ""\n/gm, ''),
  },
  afterScriptTimeout: {
    row: 'after_script timeout',
    apply: (text, side) =>
      side === 'millrace'
        ? text
        : text
            .replaceAll('exit status 143', 'context deadline exceeded')
            .replaceAll('"script_failure","exit_code":143', '"job_execution_timeout","exit_code":null'),
  },
  killedShell: {
    row: 'shell killed by SIGKILL',
    apply: (text) =>
      text.replaceAll(
        /^01E bash: line N: .* (?:Killed|Done)[^]*?(?=^00O section_end)/gm,
        '01E (the shell was killed)\n',
      ),
  },
  debugTrap: {
    row: '`trap … DEBUG` in scripts',
    apply: (text) =>
      text
        .replaceAll(/^01O next: __millrace_mark \d+\n/gm, '')
        .replaceAll(/^(01O next: )(?:printf '%s\\n'|echo) /gm, '$1(print) '),
  },
  excludedCount: {
    row: '`<pattern>: excluded <n> files`',
    apply: (text) => text.replaceAll(/(: excluded )\d+( files)/g, '$1some$2'),
  },
} as const satisfies Record<string, Difference>;

export type DifferenceName = keyof typeof differences;

/** Shown by so many scenarios that naming them there would only be noise. */
export const shownEverywhere: readonly DifferenceName[] = ['firstLine', 'runtimePlatform', 'cacheManifest'];
