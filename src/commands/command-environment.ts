/** What a command may use of the process it runs in. Handed in by main; tests hand in their own. */
export interface CommandEnvironment {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Listens to a signal of the process. @returns how to stop. */
  readonly onSignal: (name: SignalName, listener: () => void) => () => void;
  /** Ends the process at once, for the signal that allows no more waiting. */
  readonly exit: (code: number) => never;
}

/** A command's environment, and how it ends the program. */
export interface CommandLine {
  readonly environment: CommandEnvironment;
  readonly setExitCode: (code: number) => void;
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR1';
