import { createHash } from 'node:crypto';
import { basename, isAbsolute, join } from 'node:path';
import { CommandError } from '../../lib/errors.ts';

/** Facts that decide where state lies. */
export interface StatePlace {
  /** Asked for by the user; absolute. */
  readonly stateDir: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly operatingSystem: string;
}

/**
 * Folder for what runs of one checkout leave behind, outside its work tree: `$XDG_STATE_HOME/millrace/<project>`, or
 * below the folder that was asked for.
 * @param workTree absolute, links resolved: checkouts of one project have folders of their own.
 * @throws CommandError where there is no home.
 */
export function stateFolderOf(workTree: string, place: StatePlace): string {
  const digest = createHash('sha256').update(workTree).digest('hex').slice(0, 12);
  const name = basename(workTree)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 40);
  return join(place.stateDir ?? join(stateHome(place), 'millrace'), `${name}-${digest}`);
}

function stateHome({ env, home, operatingSystem }: StatePlace): string {
  const xdg = env['XDG_STATE_HOME'] ?? '';
  // A relative one is to be ignored, says the specification.
  if (isAbsolute(xdg)) return xdg;
  const localData = env['LOCALAPPDATA'] ?? '';
  if (operatingSystem === 'win32' && isAbsolute(localData)) return localData;
  if (home === '') {
    throw new CommandError('there is no home folder for the state of pipelines', {
      exitCode: 2,
      hint: 'Set HOME or XDG_STATE_HOME, or give a folder with --state-dir.',
    });
  }
  return join(home, '.local', 'state');
}
