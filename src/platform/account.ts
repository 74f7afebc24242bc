import { homedir, userInfo } from 'node:os';
import { isatty } from 'node:tty';

/** The account this process runs under. */
export interface ProcessAccount {
  readonly operatingSystem: string;
  /** Undefined where the system has no user ids. */
  readonly userId: number | undefined;
  /** Empty when the user database does not know the account. */
  readonly name: string;
  /** Of `HOME`, else of the user database; empty when unknown. */
  readonly home: string;
}

export function processAccount(): ProcessAccount {
  return {
    operatingSystem: process.platform,
    userId: process.getuid?.(),
    name: orEmpty(() => userInfo().username),
    home: orEmpty(homedir),
  };
}

/** Whether standard error goes to a person. */
export function isErrorOutputTerminal(): boolean {
  return isatty(2);
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
