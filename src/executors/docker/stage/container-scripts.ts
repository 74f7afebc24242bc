import type { ShellName } from '../../../plan/executor-traits.ts';
import { type ShellCommand, shellCommand } from '../../shared/shell-command.ts';

/** Folder of ours in the file system of a container. */
export const ownFolder = '.millrace';

/** Where the script of a build container's stage lies: the container's command names it, so it is always the same. */
export const scriptPath = `${ownFolder}/script`;
/** What the build container's command does, as a file: for containers whose entrypoint is a shell on its own. */
const startPath = `${ownFolder}/start`;

/** In the order of preference (spec docker.md §10). */
const shellPaths = [
  '/usr/local/bin/bash',
  '/usr/bin/bash',
  '/bin/bash',
  '/usr/local/bin/sh',
  '/usr/bin/sh',
  '/bin/sh',
  '/busybox/sh',
];

/**
 * The command of a build container: it runs the script that is in the container by then. The script is the shell's
 * standard input, as users know it.
 */
export function buildCommand(shell: ShellName): readonly string[] {
  return ['sh', '-c', startScript(shell)];
}

/** Files that are in a build container before it is started. */
export function buildFiles(shell: ShellName, script: string): readonly { path: string; content: string }[] {
  return [
    { path: startPath, content: startScript(shell) },
    { path: scriptPath, content: script },
  ];
}

/**
 * What is written to a build container's standard input before it is started. It matters only for an entrypoint that
 * makes a shell read its commands there (`["/bin/sh", "-c"]`).
 */
export const buildInput = `exec sh /${startPath}\n`;

function startScript(shell: ShellName): string {
  if (shell === 'pwsh' || shell === 'powershell') {
    const { program, args } = shellCommand(shell, { login: false, powershellFromFile: false });
    return `exec ${quoted({ program, args })} </${scriptPath}`;
  }
  return (
    `for shell in ${shellPaths.join(' ')}; do [ -x "$shell" ] && exec "$shell" </${scriptPath}; done\n` +
    'echo shell not found\nexit 1\n'
  );
}

function quoted({ program, args }: Pick<ShellCommand, 'program' | 'args'>): string {
  return [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

export interface HelperLoop {
  /** Begins the lines that say where a stage begins and ends: nothing that a stage writes by chance. */
  readonly mark: string;
  readonly shell: ShellName;
  /** Folders whose content every account may change. */
  readonly openFolders: readonly string[];
}

/**
 * The command of the helper container: a loop that takes stages from its standard input, one line `run STAGE BYTES`
 * and the script after it. A script that did not come whole is not run. Both output streams say where a stage begins
 * and ends; the end has the exit code.
 *
 * Standard input stays open when a manager goes, so another one can go on giving stages.
 */
export function helperCommand({ mark, shell, openFolders }: HelperLoop): readonly string[] {
  const { program, args } = shellCommand(shell === 'sh' ? 'bash' : shell, { login: false, powershellFromFile: false });
  const run = program === 'bash' ? '"$shell"' : quoted({ program, args });
  return [
    'sh',
    '-c',
    `umask 0000
mkdir -p /${ownFolder}
${openFolders.map((folder) => `[ -d ${word(folder)} ] && chmod 0777 ${word(folder)}\n`).join('')}shell=sh
command -v bash >/dev/null && shell=bash
say() { printf '%s %s\\n' '${mark}' "$*"; printf '%s %s\\n' '${mark}' "$*" >&2; }
trap : HUP INT QUIT TERM
while read -r verb stage bytes; do
  [ "$verb" = run ] || exit 1
  script=/${ownFolder}/script-$stage
  head -c "$bytes" >"$script"
  [ "$(($(wc -c <"$script")))" -eq "$bytes" ] || exit 1
  say begin "$stage"
  (trap - HUP INT QUIT TERM; exec ${run}) <"$script"
  code=$?
  rm -f "$script"
  say end "$stage" "$code"
done
`,
  ];
}

function word(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What makes the helper's loop run a stage. */
export function helperOrder(stage: string, script: string): string {
  return `run ${stage} ${Buffer.byteLength(script)}\n${script}`;
}

/** Tells every process of a container but its first one to end; runs as root in the container. */
export function signalAllCommand(signal: 'TERM' | 'KILL'): readonly string[] {
  return ['sh', '-c', `kill -${signal} -1`];
}
