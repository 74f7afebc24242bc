import { type Command, InvalidArgumentError, Option } from 'commander';
import { CommandError } from '../lib/errors.ts';
import { pipelineSources } from '../pipeline/options.ts';
import type { CommandLine } from './command-environment.ts';
import { examples, wholeNumber } from './option-values.ts';
import type { PipelineOptions } from './pipeline-checkout.ts';
import type { PipelineListOptions } from './pipeline-list.ts';
import type { PipelineRunOptions } from './pipeline-run.ts';
import { stopSignal } from './stop-signal.ts';

/** `millrace pipeline …`: works on the .gitlab-ci.yml of the checkout that the working directory lies in. */
export function addPipelineCommands(program: Command, line: CommandLine): void {
  const pipeline = program
    .command('pipeline')
    .description('run or look at the .gitlab-ci.yml of this checkout')
    .helpCommand('help [command]', 'show help for a command')
    .argument('[command]')
    .usage('[options] [command]')
    .action((name: string | undefined) => {
      if (name === undefined) pipeline.outputHelp();
      else throw new CommandError(`Command pipeline ${name} not found.`, { exitCode: 2, hint: commandsOf(pipeline) });
    });
  addRun(pipeline, line);
  addList(pipeline, line);
  addPreview(pipeline, line);
  addValidate(pipeline, line);
}

function addRun(pipeline: Command, line: CommandLine): void {
  withCommonOptions(pipeline.command('run [jobs...]'))
    .description('run the pipeline, or the named jobs of it, on this machine')
    .option('--needs', 'with job names: also what they need')
    .option('--manual <job>', 'play this manual job as soon as its turn comes (may be given several times)', collect)
    .option('--concurrency <count>', 'jobs at the same time (default: the number of cores, at least 4)', positiveNumber)
    .option('--coordinator <url>', 'submit to this coordinator instead of running here')
    .option(
      '--admin-token-file <file>',
      "file with the coordinator's admin token [$MILLRACE_ADMIN_TOKEN holds the token]",
    )
    .option('--tls-ca-file <file>', "authority of the coordinator's certificate (PEM)")
    .option('--artifacts-dir <folder>', 'bring the artifacts of all jobs here')
    .addOption(
      new Option('--state-dir <folder>', 'where logs, caches and artifacts are kept').env('MILLRACE_STATE_DIR'),
    )
    .option('--keep <count>', 'pipelines whose logs and artifacts are kept (default: 10)', positiveNumber)
    .addHelpText('after', exitCodes)
    .addHelpText(
      'after',
      examples(
        'millrace pipeline run',
        'millrace pipeline run test --needs',
        'millrace pipeline run --manual deploy --variable TARGET=staging',
      ),
    )
    .action(async (jobs: readonly string[], options: Omit<PipelineRunOptions, 'jobs'>, command: Command) => {
      const { runPipelineRun } = await import('./pipeline-run.ts');
      const { debug = false } = command.optsWithGlobals<{ readonly debug?: boolean }>();
      line.setExitCode(await runPipelineRun({ ...options, jobs, debug }, line.environment));
    });
}

const exitCodes = `
Exit codes: 0 success; 1 a job failed, or the run could not be carried out; 2 the configuration or
the call is wrong; 3 a manual job is waited for; 129, 130, 131, 143 stopped by a closed terminal, Ctrl-C,
SIGQUIT (Ctrl-\\) or SIGTERM. Each cancels, twice stops at once.`;

function addList(pipeline: Command, line: CommandLine): void {
  withCommonOptions(pipeline.command('list'))
    .description('list the jobs that a run would have')
    .option('--all', 'also the jobs that are left out, with the reason')
    .addHelpText('after', examples('millrace pipeline list', 'millrace pipeline list --json'))
    .action(async (options: PipelineListOptions) => {
      const { runPipelineList } = await import('./pipeline-list.ts');
      await withStopSignal(line, (signal) => runPipelineList(options, line.environment, signal));
    });
}

function addPreview(pipeline: Command, line: CommandLine): void {
  withCommonOptions(pipeline.command('preview'))
    .description('print the configuration with everything included, extended and filled in')
    .addHelpText('after', examples('millrace pipeline preview', 'millrace pipeline preview --json'))
    .action(async (options: PipelineOptions) => {
      const { runPipelinePreview } = await import('./pipeline-preview.ts');
      await withStopSignal(line, (signal) => runPipelinePreview(options, line.environment, signal));
    });
}

function addValidate(pipeline: Command, line: CommandLine): void {
  withCommonOptions(pipeline.command('validate'))
    .description('check the configuration: every error with file, line and column; exit code 2 where there is one')
    .addHelpText('after', examples('millrace pipeline validate', 'millrace pipeline validate --file ci/other.yml'))
    .action(async (options: PipelineOptions) => {
      const { runPipelineValidate } = await import('./pipeline-validate.ts');
      await withStopSignal(line, (signal) => runPipelineValidate(options, line.environment, signal));
    });
}

async function withStopSignal(line: CommandLine, run: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const stop = stopSignal(line.environment);
  try {
    line.setExitCode(await run(stop.signal));
  } finally {
    stop.dispose();
  }
}

function withCommonOptions(command: Command): Command {
  return command
    .option('-f, --file <path>', 'configuration file (default: .gitlab-ci.yml)')
    .option('--variable <KEY=VALUE>', 'pipeline variable (may be given several times)', collect)
    .option(
      '--variables-file <file>',
      'variables in dotenv or YAML form, masked and file variables too (may be given several times)',
      collect,
    )
    .option('--branch <name>', 'pretend to be on this branch')
    .addOption(new Option('--tag <name>', 'pretend to run for this tag').conflicts('branch'))
    .addOption(
      new Option('--source <name>', 'CI_PIPELINE_SOURCE: push (the default), web, schedule, …').argParser(
        pipelineSource,
      ),
    )
    .option('--changes-base <commit>', 'where `rules:changes` starts to compare (default: see the user guide)')
    .option('--json', 'print JSON');
}

function pipelineSource(name: string): string {
  if ((pipelineSources as readonly string[]).includes(name)) return name;
  throw new InvalidArgumentError(`Known: ${pipelineSources.join(', ')}.`);
}

function commandsOf(pipeline: Command): string {
  return `Commands: ${pipeline.commands.map((command) => command.name()).join(', ')}`;
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}
