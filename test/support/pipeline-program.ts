// A program for tests: `pipeline-program.ts <command> <options as JSON>`, as the command line would call it.

import type { CommandEnvironment } from '../../src/commands/command-environment.ts';
import { helperCommands } from '../../src/commands/helper/index.ts';

const environment: CommandEnvironment = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  isTerminal: false,
  env: process.env,
  workingDirectory: process.cwd(),
  onSignal: (name, listener) => {
    process.on(name, listener);
    return () => void process.off(name, listener);
  },
  exit: (code) => process.exit(code),
};

async function main([name = '', ...rest]: readonly string[]): Promise<number> {
  const helper = helperCommands[name];
  const { signal } = new AbortController();
  if (helper !== undefined) return await (await helper.load()).execute(rest, environment, signal);
  const options = JSON.parse(rest[0] ?? '{}') as object;
  switch (name) {
    case 'run':
      return await (await import('../../src/commands/pipeline-run.ts')).runPipelineRun(options, environment);
    case 'list':
      return await (await import('../../src/commands/pipeline-list.ts')).runPipelineList(options, environment, signal);
    case 'preview':
      return await (await import('../../src/commands/pipeline-preview.ts')).runPipelinePreview(
        options,
        environment,
        signal,
      );
    case 'validate':
      return await (await import('../../src/commands/pipeline-validate.ts')).runPipelineValidate(
        options,
        environment,
        signal,
      );
    default:
      throw new Error(`${name} is not a command of this program`);
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 70;
  },
);
