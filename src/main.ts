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
  const isOutputLost = watchOutput();
  const { runCommandLine } = await import('./commands/command-line.ts');
  const code = await runCommandLine(argv, processEnvironment());
  process.exitCode = code === 0 && isOutputLost() ? 1 : code;
}

/**
 * Output that cannot be written does not end the program: what runs still has to end in order. A reader that is gone (a
 * closed terminal, `| head`) wanted no more; of anything else (a full disk) the user hears.
 * @returns whether output was lost that somebody wanted.
 */
function watchOutput(): () => boolean {
  let isLost = false;
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: Error & { readonly code?: string }) => {
    if (error.code === 'EPIPE' || error.code === 'EIO' || isLost) return;
    isLost = true;
    process.stderr.write(`millrace: standard output cannot be written: ${error.message}\n`);
  });
  return () => isLost;
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
