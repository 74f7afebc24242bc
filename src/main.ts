import type { CommandEnvironment } from './commands/command-environment.ts';
import { versionText } from './commands/version.ts';

const leastNodeVersion = 24;

/**
 * Entry of the program: argv → command → exit code. The only place that reads process.argv and process.env and that
 * ends the process.
 */
async function main(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < leastNodeVersion) {
    process.stderr.write(`millrace needs Node ${leastNodeVersion}; this is ${process.version}\n`);
    process.exitCode = 1;
    return;
  }
  const argv = process.argv.slice(2);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v' || argv[0] === '-version')) {
    process.stdout.write(versionText());
    return;
  }
  process.title = 'millrace';
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedReader);
  const { runCommandLine } = await import('./commands/command-line.ts');
  process.exitCode = await runCommandLine(argv, processEnvironment());
}

/** Whoever read our output is gone (a closed terminal, `| head`): what runs still has to end in order. */
function ignoreClosedReader(error: Error & { readonly code?: string }): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
}

function processEnvironment(): CommandEnvironment {
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    isTerminal: process.stdout.isTTY,
    env: process.env,
    workingDirectory: process.cwd(),
    onSignal: (name, listener) => {
      process.on(name, listener);
      return () => void process.off(name, listener);
    },
    exit: (code) => process.exit(code),
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 2;
});
