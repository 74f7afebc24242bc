import { type Difference, type DifferenceName, differences, shownEverywhere } from './differences.ts';
import type { Scenario } from './scenario.ts';

export type Side = 'millrace' | 'peer';

export interface RunFacts {
  readonly benchFolder: string;
  readonly folder: string;
  readonly gitUrl: string;
  readonly coordinatorUrl: string;
  readonly projectId: number;
  readonly jobIds: readonly number[];
  readonly jobTokens: readonly string[];
}

/** Makes equal what may differ between two runs (`run`), or between the releases compared (`release`). */
interface Rule {
  readonly kind: 'run' | 'release';
  readonly why: string;
  readonly apply: (transcript: string, side: Side, facts: RunFacts) => string;
}

const runRules: readonly Rule[] = [
  {
    kind: 'run',
    why: 'each runner has folders of its own',
    apply: (text, _side, { folder, benchFolder }) =>
      text.replaceAll(folder, '$RUNNER').replaceAll(benchFolder, '$BENCH'),
  },
  {
    kind: 'run',
    why: 'each runner has a token of its own, whose short form names folders and stands in the header',
    apply: (text) =>
      text
        .replaceAll(/(builds\/)[A-Za-z0-9_-]{9}(?=\/\d)/g, '$1SHORT')
        .replaceAll(/( {2}on \w+ runner )[\w-]{9}(?=, system ID: )/g, '$1SHORT'),
  },
  {
    kind: 'run',
    why: 'ids, tokens and addresses are given out as jobs come',
    apply: (text, _side, facts) => {
      const addresses = text
        .replaceAll(facts.gitUrl.replace('http://', ''), 'GIT')
        .replaceAll(facts.coordinatorUrl.replace('http://', ''), 'COORDINATOR')
        .replaceAll(`project-${facts.projectId}`, 'project-ID');
      return facts.jobIds.reduce((all, id, index) => {
        const places = new RegExp(String.raw`((?:id\\e\[0;m=|jobs/|earlier job \())${id}\b`, 'g');
        return all
          .replaceAll(facts.jobTokens[index] ?? 'none', `TOKEN${index + 1}`)
          .replaceAll(places, `$1ID${index + 1}`);
      }, addresses);
    },
  },
  {
    kind: 'run',
    why: 'short forms of job tokens',
    apply: (text) => text.replaceAll(/(token\\e\[0;m=)\S+/g, '$1TOKEN'),
  },
  {
    kind: 'run',
    why: 'seconds of section markers',
    apply: (text) => text.replaceAll(/(section_(?:start|end)):\d+:/g, '$1:T:'),
  },
  {
    kind: 'run',
    why: 'line numbers and process ids in what a shell says',
    apply: (text) =>
      text.replaceAll(/((?:bash|sh)(?:: eval)?: line )\d+/g, '$1N').replaceAll(/(bash: line N: ) *\d+ /g, '$1PID '),
  },
  {
    kind: 'run',
    why: 'correlation ids',
    apply: (text) =>
      text.replaceAll(/(Correlation(?:-| )ID: )\w+/gi, '$1ID').replaceAll(/(correlation_id\\e\[0;m=)\w+/g, '$1ID'),
  },
  {
    kind: 'run',
    why: 'version and revision of the program',
    apply: (text) => text.replaceAll(/(Running with millrace )\S+ \(\w+\)/g, '$1VERSION'),
  },
  {
    kind: 'run',
    why: 'the machine',
    apply: (text) =>
      text.replaceAll(/^((?:01O )?Running on ).*(?=\.\.\.$)/gm, '$1HOST').replaceAll(/(, system ID: )\w+/g, '$1SYSTEM'),
  },
  {
    kind: 'run',
    why: 'whether a shell that is told to stop still says that its command was',
    apply: (text) => text.replaceAll(/^01E (?:bash: line N: PID )?Terminated.*\n/gm, ''),
  },
  {
    kind: 'run',
    why: 'how often a waiting script ticks',
    apply: (text) => text.replaceAll(/^01O tick\n/gm, ''),
  },
];

const releaseRules: readonly Rule[] = [
  {
    kind: 'release',
    why: 'defaults of these feature flags changed, so every job sets them',
    apply: (text) =>
      text.replaceAll(/^(00O )?\\e\[0K {2}feature flags: (.*)\\e\[0;m\n/gm, (_line, _stream, flags: string) => {
        const others = flags.split(', ').filter((flag) => !/TIMESTAMPS|BASH_EVAL|EXPONENTIAL_BACKOFF/.test(flag));
        return others.length === 0 ? '' : `00O feature flags: ${others.join(', ')}\n`;
      }),
  },
  {
    kind: 'release',
    why: '17.9 ends the line of an error before its colour',
    apply: (text, side) =>
      side === 'peer' ? text.replaceAll(/^(.*ERROR: Job failed.*)\n(?:00O )?\\e\[0;m$/gm, '$1\\e[0;m') : text,
  },
  {
    kind: 'release',
    why: '19.4 tells the Gitaly correlation id',
    apply: (text) => text.replaceAll(/^01O \\e\[32;1mGitaly correlation ID: .*\n/gm, ''),
  },
  {
    kind: 'release',
    why: 'another address of the documentation',
    apply: (text) => text.replaceAll('/ee/ci/runners/configure_runners.html#', '/ci/runners/configure_runners/#'),
  },
  {
    kind: 'release',
    why: '19.4 keeps credentials out of .git/config: in a file that it includes',
    apply: (text) =>
      text
        .replaceAll(/^ {2}config (?:init|fetch|credential|transfer|gc|include|http|url)\..*\n/gm, '')
        .replaceAll(/^( {2}config .*|01E Submodule .*)gitlab-ci-token:[\w-]+@/gm, '$1')
        .replaceAll(/^.*\.tmp\/(?:\.gitlab-runner\.ext\.conf|cred-helper\.conf|\.glr\.gconf).*\n/gm, ''),
  },
  {
    kind: 'release',
    why: '19.4 gives that file to submodules too, and says so',
    apply: (text, side) =>
      side === 'peer'
        ? text
        : text
            .replaceAll(/^01O \\e\[32;1mConfiguring submodules to use parent.*\n(?:01O Entering .*\n)*/gm, '')
            .replaceAll(/^01O \\e\[32;1mPulling LFS files\.\.\..*\n/gm, ''),
  },
  {
    kind: 'release',
    why: '19.4 says that it tries a stage again',
    apply: (text) => text.replaceAll(/^00O \\e\[0;33mWARNING: Retrying\.\.\.\\e\[0;m\n/gm, ''),
  },
  {
    kind: 'release',
    why: '17.9 has no failure reason of its own for configuration errors',
    apply: (text) => text.replaceAll('"runner_configuration_error"', '"script_failure"'),
  },
  {
    kind: 'release',
    why: '19.4 says which options are not supported',
    apply: (text) => text.replaceAll(/^00O Unsupported ".*\n/gm, ''),
  },
  {
    kind: 'release',
    why: '19.4 says why a cache key is empty',
    apply: (text) => text.replaceAll(/^01O \\e\[0;33mcache key "" could not be sanitized.*\n/gm, ''),
  },
  {
    kind: 'release',
    why: 'fields of the lines about artifacts',
    apply: (text) =>
      text
        .replaceAll(/(?:\\e\[\d+;\d+m)?correlation_id\\e\[0;m=\w+ /g, '')
        .replaceAll('responseStatus\\e', 'status\\e')
        .replaceAll(/(status\\e\[0;m=\d+ [\w ]+ )\\e\[0;33mstatus\\e\[0;m=\d+ /g, '$1'),
  },
  {
    kind: 'release',
    why: '19.4 writes the key of a cache beside it',
    apply: (text) => text.replaceAll(/^640 cache\/.*\/metadata\.json\n/gm, ''),
  },
];

type Shown = Pick<Scenario, 'shows' | 'focus'>;

/** What two runs of the same program have in common. */
export function normaliseRun(transcript: string, side: Side, facts: RunFacts, { focus }: Shown): string {
  const text = runRules.reduce((all, rule) => rule.apply(all, side, facts), `${transcript}\n`);
  return focus?.apply(text) ?? text;
}

/** What both programs have in common. */
export function normalise(transcript: string, side: Side, facts: RunFacts, scenario: Shown): string {
  const names: readonly DifferenceName[] = [...shownEverywhere, ...(scenario.shows ?? [])];
  const shown: readonly Difference[] = names.map((name) => differences[name]);
  const rules: readonly Pick<Rule, 'apply'>[] = [...releaseRules, ...shown];
  const text = normaliseRun(transcript, side, facts, {});
  const equal = rules.reduce((all, rule) => rule.apply(all, side, facts), text);
  return scenario.focus?.apply(equal) ?? equal;
}
