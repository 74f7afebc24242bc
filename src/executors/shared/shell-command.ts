import type { ShellName } from '../../plan/executor-traits.ts';

/** How a shell is started to run one stage script. */
export interface ShellCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Where the script goes: to standard input, or into a file whose path is one more argument. */
  readonly feed: 'stdin' | 'file';
}

export interface ShellCommandOptions {
  /** Loads the account's profile; POSIX shells only. */
  readonly login: boolean;
  /** PowerShell reads the script from a file (FF_DISABLE_POWERSHELL_STDIN). */
  readonly powershellFromFile: boolean;
}

const commonPowershellFlags = [
  '-NoProfile',
  '-NoLogo',
  '-InputFormat',
  'text',
  '-OutputFormat',
  'text',
  '-NonInteractive',
  '-ExecutionPolicy',
  'Bypass',
];

/** The command that runs a stage script (spec shells.md §2, §4.1). */
export function shellCommand(shell: ShellName, options: ShellCommandOptions): ShellCommand {
  switch (shell) {
    case 'bash':
    case 'sh':
      return { program: shell, args: options.login ? ['-l'] : [], feed: 'stdin' };
    case 'pwsh':
    case 'powershell':
      if (options.powershellFromFile) {
        const args = ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File'];
        return { program: shell, args, feed: 'file' };
      }
      return { program: shell, args: [...commonPowershellFlags, ...stdinFlags(shell)], feed: 'stdin' };
  }
}

function stdinFlags(shell: 'pwsh' | 'powershell'): readonly string[] {
  return shell === 'powershell' ? ['-Command', '-'] : ['-EncodedCommand', encodeForPowershell(utf8Wrapper)];
}

/** The outer pwsh only sets the encoding; the inner one reads the script. */
const utf8Wrapper = [
  '$OutputEncoding = [console]::InputEncoding = [console]::OutputEncoding = New-Object System.Text.UTF8Encoding',
  'pwsh -NoProfile -NonInteractive -Command -',
  'if(!$?) { Exit &{if($LASTEXITCODE) {$LASTEXITCODE} else {1}} }',
  '',
].join('\r\n');

function encodeForPowershell(text: string): string {
  return Buffer.from(text, 'utf16le').toString('base64');
}
