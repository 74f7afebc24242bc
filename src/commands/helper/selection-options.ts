import { expandText } from '../../archive/expansion/expand-text.ts';
import { selectFiles } from '../../archive/selection/select-files.ts';
import { type SelectedEntry } from '../../archive/selection/selected-entry.ts';
import { listUntracked } from '../../archive/selection/untracked.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { isSameEntry } from '../../platform/file-tree.ts';
import type { HelperContext, HelperIo } from './helper-command.ts';
import { listOption, type OptionValues, switchOption } from './options.ts';

/** Options of the commands that pack files. */
export const selectionOptions = {
  path: listOption('Add paths to archive'),
  exclude: listOption('Exclude paths from the archive'),
  untracked: switchOption('Add git untracked files'),
  verbose: switchOption('Detailed information'),
} as const;

/** Finds the files the options name; variables in them are expanded from the command's own environment. */
export async function selectFromOptions(
  options: OptionValues<typeof selectionOptions>,
  { io, log }: HelperContext,
  signal: AbortSignal,
): Promise<readonly SelectedEntry[]> {
  const expand = (path: string): string => expandOrKeep(path, `path ${JSON.stringify(path)}`, io, log);
  const request = {
    root: projectDirectory(io),
    paths: options.path.map(expand),
    excludes: options.exclude.map(expand),
    untracked: options.untracked,
  };
  const git = { environment: io.env, reportOutput: io.stderr };
  return await selectFiles(request, { log, listUntracked: (root, stop) => listUntracked(root, git, stop) }, signal);
}

/** What cannot be expanded stays as it is, with a warning. */
export function expandOrKeep(text: string, what: string, io: HelperIo, log: Logger): string {
  try {
    return expandText(text, io.env);
  } catch (error) {
    log.warn(`invalid ${what}: ${errorMessage(error)}`);
    return text;
  }
}

/** The working directory, in the spelling the shell uses for it (links unresolved). */
export function projectDirectory(io: HelperIo): string {
  const spelled = io.env['PWD'] ?? '';
  return spelled.startsWith('/') && isSameEntry(spelled, io.workingDirectory) ? spelled : io.workingDirectory;
}
