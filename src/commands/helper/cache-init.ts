import { CommandError, errorMessage } from '../../lib/errors.ts';
import { openToEveryone } from '../../platform/staged-file.ts';
import { defineHelperCommand } from './helper-command.ts';

/** Lets every account write to fresh cache volumes (spec cache-artifacts.md §10). */
export const cacheInit = defineHelperCommand({
  name: 'cache-init',
  summary: 'change permissions of cache directories (internal)',
  options: {},
  run: async (_options, { log, rest }) => {
    if (rest.length === 0) throw new CommandError('No arguments passed, at least 1 path is required.');
    for (const path of rest) {
      try {
        await openToEveryone(path);
      } catch (error) {
        log.error('failed to chmod path', { error: errorMessage(error), path });
      }
    }
    return 0;
  },
});
