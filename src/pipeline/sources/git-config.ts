import { type Git, splitNul, tryGit } from '../../platform/run-git.ts';

/** Git's settings by name (section and key in lower case), each with its values, the strongest last. */
export type GitConfig = ReadonlyMap<string, readonly string[]>;

/** Reads all settings that hold in a folder; none where git cannot read them. */
export async function readGitConfig(git: Git, signal: AbortSignal): Promise<GitConfig> {
  const { exitCode, stdout } = await tryGit(git, ['config', '--null', '--list'], signal);
  const values = new Map<string, string[]>();
  if (exitCode !== 0) return values;
  for (const entry of splitNul(stdout)) {
    const text = Buffer.from(entry, 'latin1').toString('utf8');
    const end = text.indexOf('\n');
    const name = end === -1 ? text : text.slice(0, end);
    values.set(name, [...(values.get(name) ?? []), end === -1 ? 'true' : text.slice(end + 1)]);
  }
  return values;
}
