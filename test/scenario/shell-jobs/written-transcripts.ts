import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Scenario } from '../../differential/scenario.ts';

/** Transcripts of a topic's scenarios in one file, each below its name. UPDATE_GOLDEN=1 writes the file anew. */
export class WrittenTranscripts {
  readonly #path: string;
  readonly #texts: Map<string, string>;
  readonly #isUpdating = process.env['UPDATE_GOLDEN'] === '1';

  constructor(topic: string) {
    this.#path = fileURLToPath(new URL(`transcripts/${topic}.txt`, import.meta.url));
    this.#texts = new Map(existsSync(this.#path) ? parse(readFileSync(this.#path, 'utf8')) : []);
  }

  /** What the file says about a scenario; when it is written anew, what is given. */
  expected(name: string, transcript: string): string {
    if (this.#isUpdating) this.#texts.set(name, transcript);
    return this.#texts.get(name) ?? 'nothing is written down for this scenario';
  }

  save(scenarios: readonly Scenario[]): void {
    if (!this.#isUpdating) return;
    const known = scenarios.flatMap(({ name }) => {
      const text = this.#texts.get(name);
      return text === undefined ? [] : `${heading}${name}\n${text}`;
    });
    writeFileSync(this.#path, known.join('\n'));
  }
}

const heading = '######## ';

function parse(file: string): readonly (readonly [string, string])[] {
  return file
    .split(new RegExp(`^${heading}`, 'm'))
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end + 1).replace(/\n+$/, '\n')] as const;
    });
}

/**
 * A transcript without what all have in common, so that reading the files is worth it, and without what git itself
 * says on standard error, which differs from release to release.
 */
export function readable(transcript: string): string {
  return withPlainSections(transcript)
    .replaceAll(/^00O \\e\[0KRunning with .*\n00O \\e\[0K {2}on plain runner SHORT, system ID: SYSTEM.*\n/gm, '')
    .replaceAll(/^00O \\e\[0K {2}feature flags: FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY:false\\e\[0;m\n/gm, '')
    .replaceAll(
      /^== prepare_executor: .*\n00O .*Using Shell \(bash\) executor.*\n== prepare_script: .*\n01O Running on .*\n/gm,
      '',
    )
    .replaceAll(/^== get_sources: .*\n(?:01O .*Skipping Git .*\n){3}/gm, '')
    .replaceAll(/(?<=^== get_sources: .*\n(?:0.*\n)*)01E .*\n/gm, '')
    .replaceAll(/^== cleanup_file_variables: .*\n(?=00O)/gm, '')
    .replaceAll(/[^\S\n]+$/gm, (blanks) => '·'.repeat(blanks.length));
}

/** One line for the markers of a section and its title, unless one is missing. */
function withPlainSections(transcript: string): string {
  const starts = transcript.match(/^00O section_start:T:/gm)?.length ?? 0;
  const ends = transcript.match(/^00O section_end:T:/gm)?.length ?? 0;
  if (starts !== ends) return transcript;
  return transcript
    .replaceAll(/^00O section_start:T:(\w+)\\r\\e\[0K\n00O \\e\[0K\\e\[36;1m(.*)\\e\[0;m\\e\[0;m$/gm, '== $1: $2')
    .replaceAll(/^00O section_end:T:\w+\\r\\e\[0K\n/gm, '');
}
