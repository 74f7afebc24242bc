import { createHmac, randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import { errorMessage } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { readMachineId } from '../platform/machine-id.ts';
import { makePrivateFolder } from '../platform/private-folder.ts';
import { readStateFile, replaceStateFile } from '../platform/state-file.ts';

const FORMAT = /^[sr]_[0-9a-zA-Z]{12}$/;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/**
 * The id of this runner manager (spec protocol.md §8.1), kept in `.runner_system_id` beside the config file. A missing
 * or malformed one is made anew; where it cannot be written it lives as long as the process.
 * @throws StorageError when the file exists and cannot be read.
 */
export async function loadSystemId(configPath: string, logger: Logger): Promise<string> {
  const path = join(dirname(configPath), '.runner_system_id');
  const stored = readStateFile(path)?.trim() ?? '';
  if (FORMAT.test(stored)) return stored;
  const systemId = generateSystemId(await readMachineId());
  try {
    makePrivateFolder(dirname(path));
    replaceStateFile(path, systemId);
    logger.info('Created missing unique system ID', { system_id: systemId });
  } catch (error) {
    logger.warn('Cannot save the unique system ID: GitLab will see a new runner manager after each start', {
      path,
      error: errorMessage(error),
      remedy: 'create the file with this ID as its only content',
      system_id: systemId,
    });
  }
  return systemId;
}

/** From the machine's id where it has one, else random. */
export function generateSystemId(machineId: string): string {
  if (machineId !== '') {
    return `s_${createHmac('sha256', machineId).update('gitlab-runner').digest('hex').slice(0, 12)}`;
  }
  const letters = Array.from({ length: 12 }, () => ALPHABET[randomInt(ALPHABET.length)]);
  return `r_${letters.join('')}`;
}
