import { AbortReason } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { CommandError, errorMessage } from '../../lib/errors.ts';
import { createJobLog, type JobLog } from './job-log.ts';
import { describeOptions, type OptionDefinitions, type OptionValues, parseOptions } from './options.ts';

/** The process a helper command runs in, as it may use it. Standard error is the job's log. */
export interface HelperIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project's directory: every stage script goes there first. */
  readonly workingDirectory: string;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** What a command's own code gets. */
export interface HelperContext {
  readonly io: HelperIo;
  readonly log: JobLog;
  /** Arguments that belong to no option. */
  readonly rest: readonly string[];
}

/** A helper command that is loaded and can be run. */
export interface HelperCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionDefinitions;
  /** @returns the exit code. Prints every failure itself and never rejects. */
  execute(argv: readonly string[], io: HelperIo, signal: AbortSignal): Promise<number>;
}

export interface HelperCommandDefinition<D extends OptionDefinitions> {
  readonly name: string;
  readonly summary: string;
  readonly options: D;
  /** @returns the exit code. @throws CommandError to end with a FATAL line. */
  readonly run: (options: OptionValues<D>, context: HelperContext, signal: AbortSignal) => Promise<number>;
}

export function defineHelperCommand<D extends OptionDefinitions>(
  definition: HelperCommandDefinition<D>,
): HelperCommand {
  const { name, summary, options, run } = definition;
  return {
    name,
    summary,
    options,
    execute: async (argv, io, signal) => {
      const log = createJobLog(io.stderr);
      if (argv.some((argument) => argument === '--help' || argument === '-h')) {
        io.stdout(helpText(definition));
        return 0;
      }
      let parsed: ReturnType<typeof parseOptions<D>>;
      try {
        parsed = parseOptions(options, argv, io.env);
      } catch (error) {
        io.stderr(`Incorrect Usage: ${errorMessage(error)}\n\n${helpText(definition)}`);
        log.fatal(errorMessage(error));
        return 1;
      }
      try {
        return await run(parsed.options, { io, log, rest: parsed.rest }, signal);
      } catch (error) {
        log.fatal(fatalText(error, signal));
        return error instanceof CommandError ? error.exitCode : 1;
      }
    },
  };
}

function fatalText(error: unknown, signal: AbortSignal): string {
  if (signal.aborted || error instanceof AbortReason) return `stopped: ${errorMessage(signal.reason ?? error)}`;
  return errorMessage(error);
}

function helpText({ name, summary, options }: Pick<HelperCommand, 'name' | 'summary' | 'options'>): string {
  return `NAME:\n   ${name} - ${summary}\n\nOPTIONS:\n${describeOptions(options)}`;
}
