import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where this account keeps what a program has to remember between its runs: `/var/lib/millrace` for root, else
 * `$XDG_STATE_HOME/millrace` (default `~/.local/state/millrace`).
 */
export function defaultStateFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const chosen = environment['XDG_STATE_HOME'] ?? '';
  if (chosen !== '') return join(chosen, 'millrace');
  if (process.getuid?.() === 0) return '/var/lib/millrace';
  return join(environment['HOME'] ?? homedir(), '.local', 'state', 'millrace');
}
