import { Command, CommanderError, Option } from 'commander';
import { CommandError, MillraceError } from '../lib/errors.ts';
import type { CommandEnvironment, CommandLine } from './command-environment.ts';
import type { DockerCleanOptions } from './docker-clean.ts';
import { addDockerCommands } from './docker-commands.ts';
import { helperCommands } from './helper/index.ts';
import { examples, isTrue, wholeNumber } from './option-values.ts';
import { addPipelineCommands } from './pipeline-commands.ts';
import { product } from './product.ts';
import { addRegistrationCommands } from './registration/registration-commands.ts';
import { stopSignal } from './stop-signal.ts';
import { reportUnexpected } from './unexpected-error.ts';
import { pointErrorsToHelp, unknownCommand } from './usage-errors.ts';
import { versionText } from './version.ts';

/**
 * Runs one command line.
 * @returns the exit code: 0, 1 for a failure or wrong use, or what the command says (docs/commands.md).
 */
export async function runCommandLine(argv: readonly string[], environment: CommandEnvironment): Promise<number> {
  const [name = '', ...rest] = argv;
  const helper = helperCommands[name];
  if (helper !== undefined) return await runHelper(await helper.load(), rest, environment);
  let exitCode = 0;
  const line: CommandLine = {
    environment,
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  try {
    await createProgram(line, await registerOptions(argv)).parseAsync(withDoubleDashes(argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    return reportFailure(error, argv, environment);
  }
}

/** The options of `register` are as many as config.toml has keys: they are made only where the word stands. */
async function registerOptions(argv: readonly string[]): Promise<((command: Command) => void) | undefined> {
  if (!argv.includes('register')) return undefined;
  return (await import('./registration/registration-options.ts')).addRegisterOptions;
}

/**
 * Every command with its options; also what docs/commands.md is made from.
 * @param addRegisterOptions adds the options of `register`; without, it has none.
 */
export function createProgram(line: CommandLine, addRegisterOptions?: (command: Command) => void): Command {
  const program = new Command(product.name);
  program
    .description('A GitLab Runner that also runs a whole .gitlab-ci.yml on this machine.')
    .option('--debug', 'log level debug [$RUNNER_DEBUG]')
    .option('-l, --log-level <level>', 'panic, fatal, error, warning, info, debug or trace [$LOG_LEVEL]')
    .option('--log-format <format>', 'runner, text or json [$LOG_FORMAT]')
    .version(versionText(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: line.environment.stdout,
      writeErr: line.environment.stderr,
      outputError: (text, write) => write(text.replace(/^error: /, `${product.name}: `)),
    })
    .exitOverride()
    .argument('[command]')
    .usage('[options] [command]')
    .action((name: string | undefined) => {
      if (name !== undefined) throw unknownCommand(name);
      program.outputHelp();
    });
  addRun(program, line);
  addRegistrationCommands(program, line, addRegisterOptions);
  addPipelineCommands(program, line);
  addCoordinator(program, line);
  addPlan(program, line);
  addDockerClean(program, line);
  addDockerCommands(program, line);
  pointErrorsToHelp(program);
  return program;
}

function addDockerClean(program: Command, line: CommandLine): void {
  program
    .command('docker-clean')
    .description('remove what runners left of old jobs at a Docker daemon')
    .requiredOption('--older-than <duration>', 'only what was made longer ago than this, like 24h')
    .addOption(
      new Option('--host <address>', 'the daemon; default: DOCKER_HOST, or its usual socket').env('DOCKER_HOST'),
    )
    .option('--dry-run', 'only say what would be removed')
    .addHelpText('after', '\nIt also takes what jobs of other runners still use: choose a time no job takes.')
    .addHelpText('after', examples('millrace docker-clean --older-than 24h --dry-run'))
    .action(async (options: DockerCleanOptions) => {
      const { runDockerClean } = await import('./docker-clean.ts');
      await runDockerClean(options, line.environment);
    });
}

function addRun(program: Command, line: CommandLine): void {
  program
    .command('run')
    .description('serve the runners of a config.toml until told to stop')
    .addOption(new Option('-c, --config <file>', 'config file').env('CONFIG_FILE'))
    .addOption(new Option('--listen-address <address>', 'metrics server (not in this version)').env('LISTEN_ADDRESS'))
    .option('-n, --service <name>', 'name of the service', 'gitlab-runner')
    .option('-d, --working-directory <folder>', 'folder to run in; builds and cache are below it')
    .option('-u, --user <account>', 'account that runs the scripts of the shell executor')
    .option('--syslog', 'log to syslog too (not in this version)')
    .addOption(new Option('--state-dir <folder>', 'where running jobs are written down').env('MILLRACE_STATE_DIR'))
    .addHelpText('after', '\nSIGQUIT waits for running jobs, SIGTERM and SIGINT abort them; twice ends at once.')
    .addHelpText('after', examples('millrace run', 'millrace run --config ./config.toml --working-directory /srv/ci'))
    .action(async (options: RunFlags) => {
      const [{ runManagerCommand }, { composeRunCommand }] = await Promise.all([
        import('./run.ts'),
        import('./compose-run.ts'),
      ]);
      const all = { ...program.opts(), ...options };
      line.setExitCode(await runManagerCommand(all, line.environment, composeRunCommand(all.stateDir)));
    });
}

interface RunFlags {
  readonly config?: string;
  readonly listenAddress?: string;
  readonly service?: string;
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly syslog?: boolean;
  readonly stateDir?: string;
}

function addCoordinator(program: Command, line: CommandLine): void {
  program
    .command('coordinator')
    .description('serve the Runner API: a small server that hands pipelines to runners')
    .option('--listen <address>', 'host:port to listen on', '127.0.0.1:8090')
    .option('--data-dir <folder>', 'where everything is kept (default: .millrace/coordinator)')
    .option('--external-url <url>', 'how runners reach it')
    .option('--keep <count>', 'finished pipelines to keep', wholeNumber)
    .option('--keep-days <days>', 'days to keep them', wholeNumber)
    .option('--long-poll-seconds <seconds>', 'how long a job request is held', wholeNumber)
    .option(
      '--acknowledge-timeout-seconds <seconds>',
      'when a job nobody acknowledged is handed out again',
      wholeNumber,
    )
    .option('--trace-update-interval-seconds <seconds>', 'interval that runners are told', wholeNumber)
    .addOption(
      new Option('--trace-check <mode>', 'what a wrong checksum leads to').choices([
        'record',
        'strict',
        'strict_reset',
      ]),
    )
    .addOption(new Option('--direct-download <mode>', 'where artifacts are downloaded').choices(['never', 'redirect']))
    .option('--inject-faults <file>', 'answer wrongly on purpose, for tests (rules in JSON)')
    .addHelpText(
      'after',
      examples(
        'millrace coordinator',
        'millrace coordinator --listen 0.0.0.0:8090 --external-url http://ci.example.com:8090',
      ),
    )
    .action(async (options: object) => {
      const { runCoordinatorCommand } = await import('./coordinator.ts');
      const stop = stopSignal(line.environment);
      try {
        await runCoordinatorCommand(options, line.environment, stop.signal);
      } finally {
        stop.dispose();
      }
    });
}

function addPlan(program: Command, line: CommandLine): void {
  program
    .command('plan')
    .description('print what a job would do: its build plan, with every value that is not public hidden')
    .requiredOption('--payload <file>', 'the job as the server hands it out (JSON); - for standard input')
    .addOption(new Option('-c, --config <file>', 'config file').env('CONFIG_FILE'))
    .option('--runner <name>', 'entry of the config file (default: the first)')
    .option('--scripts', 'print the stage scripts too')
    .addHelpText('after', examples('millrace plan --payload job.json --config ./config.toml'))
    .action(async (options: PlanFlags) => {
      const { runPlanCommand } = await import('./plan.ts');
      await runPlanCommand(options, line.environment);
    });
}

interface PlanFlags {
  readonly payload: string;
  readonly config?: string;
  readonly runner?: string;
  readonly scripts?: boolean;
}

async function runHelper(
  command: Awaited<ReturnType<(typeof helperCommands)[string]['load']>>,
  argv: readonly string[],
  environment: CommandEnvironment,
): Promise<number> {
  const stop = stopSignal(environment);
  try {
    return await command.execute(argv, environment, stop.signal);
  } finally {
    stop.dispose();
  }
}

/** `-name` means `--name`, as users of the Go runner write it. */
function withDoubleDashes(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((argument, index) =>
    (end === -1 || index < end) && /^-[a-z][a-z-][a-z0-9_-]*(=|$)/.test(argument) ? `-${argument}` : argument,
  );
}

function reportFailure(error: unknown, argv: readonly string[], environment: CommandEnvironment): number {
  if (error instanceof CommanderError) return usageExitCode(error, argv);
  if (!(error instanceof MillraceError)) return reportUnexpected(error, isDebugging(argv, environment), environment);
  environment.stderr(`${product.name}: ${error.message}\n`);
  if (error.hint !== undefined) environment.stderr(`${error.hint}\n`);
  return error instanceof CommandError ? error.exitCode : 1;
}

function isDebugging(argv: readonly string[], { env }: CommandEnvironment): boolean {
  return argv.includes('--debug') || argv.includes('-debug') || isTrue(env['RUNNER_DEBUG']);
}

/** 1 of a pipeline command means that a job failed. */
function usageExitCode({ exitCode }: CommanderError, argv: readonly string[]): number {
  return exitCode !== 0 && argv.includes('pipeline') ? 2 : exitCode;
}
