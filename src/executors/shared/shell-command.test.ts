import { describe, expect, it } from 'vitest';
import { shellCommand } from './shell-command.ts';

describe('shellCommand', () => {
  it.each([
    ['bash', true, ['-l']],
    ['bash', false, []],
    ['sh', true, ['-l']],
  ] as const)('starts %s, login: %s', (shell, login, args) => {
    expect(shellCommand(shell, { login, powershellFromFile: true })).toEqual({ program: shell, args, feed: 'stdin' });
  });

  const common =
    '-NoProfile -NoLogo -InputFormat text -OutputFormat text -NonInteractive -ExecutionPolicy Bypass'.split(' ');

  it('feeds Windows PowerShell on standard input', () => {
    const command = shellCommand('powershell', { login: true, powershellFromFile: false });
    expect(command).toEqual({ program: 'powershell', args: [...common, '-Command', '-'], feed: 'stdin' });
  });

  it('lets an outer pwsh set UTF-8 for the inner one that reads the script', () => {
    const { args } = shellCommand('pwsh', { login: true, powershellFromFile: false });
    expect(args.slice(0, -1)).toEqual([...common, '-EncodedCommand']);
    const lines = Buffer.from(args.at(-1) ?? '', 'base64')
      .toString('utf16le')
      .split('\r\n');
    expect(lines[0]).toContain('[console]::OutputEncoding = New-Object System.Text.UTF8Encoding');
    expect(lines.slice(1)).toEqual([
      'pwsh -NoProfile -NonInteractive -Command -',
      'if(!$?) { Exit &{if($LASTEXITCODE) {$LASTEXITCODE} else {1}} }',
      '',
    ]);
  });

  it('gives PowerShell a file where it is told to', () => {
    expect(shellCommand('pwsh', { login: true, powershellFromFile: true })).toEqual({
      program: 'pwsh',
      args: ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File'],
      feed: 'file',
    });
  });
});
