import type { Command } from 'commander';
import { createProgram } from '../../src/commands/command-line.ts';
import { helperCommands } from '../../src/commands/helper/index.ts';
import { addRegisterOptions } from '../../src/commands/registration/registration-options.ts';

/** docs/commands.md: the help text of every command. */
export async function commandReference(): Promise<string> {
  const program = createProgram(
    {
      environment: {
        stdout: () => {},
        stderr: () => {},
        isTerminal: false,
        env: {},
        workingDirectory: '/',
        onSignal: () => () => {},
        exit: () => {
          throw new Error('not reached');
        },
      },
      setExitCode: () => {},
    },
    addRegisterOptions,
  );
  const helpers = await Promise.all(Object.values(helperCommands).map(({ load }) => helperHelp(load)));
  return [...helpOf(program, ''), '## Commands that run in the job environment', ...helpers].join('\n\n');
}

function helpOf(command: Command, prefix: string): readonly string[] {
  const name = `${prefix}${command.name()}`;
  command.configureHelp({ helpWidth: 100 });
  const own = `## ${name}\n\n\`\`\`text\n${wholeHelp(command)}\n\`\`\``;
  return [own, ...command.commands.flatMap((inner) => helpOf(inner, `${name} `))];
}

/** With what `addHelpText` adds. */
function wholeHelp(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text.trim();
}

async function helperHelp(load: (typeof helperCommands)[string]['load']): Promise<string> {
  const command = await load();
  let text = '';
  const io = {
    stdout: (part: string) => {
      text += part;
    },
    stderr: () => {},
    env: {},
    workingDirectory: '/',
  };
  await command.execute(['--help'], io, new AbortController().signal);
  return `### ${command.name}\n\n\`\`\`text\n${text.trim()}\n\`\`\``;
}
