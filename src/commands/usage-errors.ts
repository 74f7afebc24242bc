import type { Command } from 'commander';
import { CommandError } from '../lib/errors.ts';
import { product } from './product.ts';

/** Commands that users of the Go runner know and that are not here yet. */
const notInThisVersion: Readonly<Record<string, string>> = {
  'run-single': 'Use "run" with a config.toml of one [[runners]] entry.',
  ...Object.fromEntries(
    ['install', 'uninstall', 'start', 'stop', 'restart', 'status'].map((name) => [
      name,
      'Let the service manager of the system start "run".',
    ]),
  ),
};

/** The error for a command that does not exist. */
export function unknownCommand(name: string): CommandError {
  const instead = notInThisVersion[name];
  if (instead !== undefined) return new CommandError(`${name} is not in this version`, { hint: instead });
  return new CommandError(`Command ${name} not found.`, { hint: `Commands: ${product.name} --help` });
}

/** A wrong call is answered by what is wrong and where to read on, not by a page of help. */
export function pointErrorsToHelp(command: Command, path: readonly string[] = []): void {
  const words = [...path, command.name()];
  command.showHelpAfterError(`Options: ${words.join(' ')} --help`);
  for (const inner of command.commands) pointErrorsToHelp(inner, words);
}
