/** One entry of a git configuration file, in order; a name may come several times. */
export interface GitConfigEntry {
  readonly section: string;
  readonly subsection?: string;
  readonly name: string;
  readonly value: string;
}

/** Writes a configuration file as git reads it, so that no git process is needed to make it. */
export function formatGitConfig(entries: readonly GitConfigEntry[]): string {
  let text = '';
  let current = '';
  for (const entry of entries) {
    const header = sectionHeader(entry);
    if (header !== current) text += `${header}\n`;
    current = header;
    text += `\t${entry.name} = ${quoteValue(entry.value)}\n`;
  }
  return text;
}

function sectionHeader({ section, subsection }: GitConfigEntry): string {
  if (subsection === undefined) return `[${section}]`;
  return `[${section} "${subsection.replaceAll(/[\n\0]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"]`;
}

function quoteValue(value: string): string {
  const escaped = value
    .replaceAll('\0', '')
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', String.raw`\t`);
  return `"${escaped}"`;
}
