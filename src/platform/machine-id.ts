import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

const COMMAND_TIMEOUT_MS = 10_000;

/** The id the operating system gave this machine; empty when it has none. */
export async function readMachineId(): Promise<string> {
  const operatingSystem: string = process.platform;
  switch (operatingSystem) {
    case 'darwin':
      return firstMatch(
        await output('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']),
        /"IOPlatformUUID" = "([^"]+)"/,
      );
    case 'win32':
      return firstMatch(
        await output('reg', ['query', 'HKLM\\SOFTWARE\\Microsoft\\Cryptography', '/v', 'MachineGuid', '/reg:64']),
        /MachineGuid\s+REG_SZ\s+(\S+)/,
      );
    case 'freebsd':
      return (await firstFile(['/etc/hostid'])) || (await output('kenv', ['-q', 'smbios.system.uuid'])).trim();
    default:
      return await firstFile(['/var/lib/dbus/machine-id', '/etc/machine-id']);
  }
}

async function firstFile(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = (await readFile(path, 'utf8').catch(() => '')).trim();
    if (text !== '') return text;
  }
  return '';
}

function output(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: COMMAND_TIMEOUT_MS }, (error, stdout) => resolve(error === null ? stdout : ''));
  });
}

function firstMatch(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1] ?? '';
}
