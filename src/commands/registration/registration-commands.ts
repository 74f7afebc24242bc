import { type Command, Option } from 'commander';
import type { CommandLine } from '../command-environment.ts';
import { examples, wholeNumber } from '../option-values.ts';

/**
 * The commands that work on the runners of a config.toml.
 * @param addRegisterOptions adds the options of `register`, one for each key of `[[runners]]`; they are loaded only
 * where the command is named.
 */
export function addRegistrationCommands(
  program: Command,
  line: CommandLine,
  addRegisterOptions?: (command: Command) => void,
): void {
  addRegister(program, line, addRegisterOptions);
  addList(program, line);
  addVerify(program, line);
  addUnregister(program, line);
  addResetToken(program, line);
  addLint(program, line);
}

function addRegister(program: Command, line: CommandLine, addOptions: ((command: Command) => void) | undefined): void {
  const command = program
    .command('register')
    .description('register a runner and add it to a config.toml')
    .addHelpText(
      'after',
      examples(
        'millrace register',
        'millrace register --non-interactive --url https://gitlab.example.com --token glrt-… --executor shell',
      ),
    )
    .action(async (options: Readonly<Record<string, unknown>>) => {
      const { runRegister } = await import('./register.ts');
      line.setExitCode(await runRegister(options, program.opts(), line.environment));
    });
  addOptions?.(command);
}

function addList(program: Command, line: CommandLine): void {
  program
    .command('list')
    .description('list the runners of a config.toml, with their tokens')
    .addOption(configOption())
    .action(async (options: object) => {
      const { runList } = await import('./list.ts');
      line.setExitCode(await runList({ ...program.opts(), ...options }, line.environment));
    });
}

function addVerify(program: Command, line: CommandLine): void {
  program
    .command('verify')
    .description('ask GitLab whether it knows the runners of a config.toml')
    .addOption(configOption())
    .option('-n, --name <name>', 'only runners of this name')
    .option('-u, --url <url>', 'only runners of this server, with --token')
    .option('-t, --token <token>', 'only runners with this token')
    .option('--delete', 'remove runners that GitLab does not know from the file')
    .action(async (options: object) => {
      const { runVerify } = await import('./verify.ts');
      line.setExitCode(await runVerify({ ...program.opts(), ...options }, line.environment));
    });
}

function addUnregister(program: Command, line: CommandLine): void {
  program
    .command('unregister')
    .description('remove runners in GitLab and in a config.toml')
    .addOption(configOption())
    .option('-n, --name <name>', 'the runner of this name')
    .option('-u, --url <url>', 'the runner of this server')
    .addOption(new Option('-t, --token <token>', 'the runner with this token').env('CI_SERVER_TOKEN'))
    .option('--all-runners', 'every runner of the file')
    .action(async (options: object) => {
      const { runUnregister } = await import('./unregister.ts');
      line.setExitCode(await runUnregister({ ...program.opts(), ...options }, line.environment));
    });
}

function addResetToken(program: Command, line: CommandLine): void {
  program
    .command('reset-token')
    .description('get new authentication tokens and store them')
    .addOption(configOption())
    .option('-n, --name <name>', 'the runner of this name')
    .option('-u, --url <url>', 'the runner of this server, with --id')
    .option('-i, --id <number>', 'number of the runner in GitLab', wholeNumber)
    .option('--all-runners', 'every runner of the file')
    .option('--pat <token>', 'personal access token to ask with, instead of the runner’s own token')
    .action(async (options: object) => {
      const { runResetToken } = await import('./reset-token.ts');
      line.setExitCode(await runResetToken({ ...program.opts(), ...options }, line.environment));
    });
}

function addLint(program: Command, line: CommandLine): void {
  program
    .command('lint')
    .description('check a config.toml, more strictly than "run" does')
    .addOption(configOption())
    .action(async (options: object) => {
      const { runLint } = await import('./lint.ts');
      line.setExitCode(await runLint({ ...program.opts(), ...options }, line.environment));
    });
}

function configOption(): Option {
  return new Option('-c, --config <file>', 'config file').env('CONFIG_FILE');
}
