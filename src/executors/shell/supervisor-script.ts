import { join } from 'node:path';

/** How output is kept on disk until the manager has read it. */
export interface OutputLimits {
  /** Reads (of up to 64 KiB) that go into one file. */
  readonly readsPerSegment: number;
  /** Files of a stream that may exist before the size of the folder is looked at. */
  readonly freeSegments: number;
  /** KiB in the stage's folder above which the script is made to wait. */
  readonly waitAboveKib: number;
}

/** 8 MiB a file; a stage whose manager is away is halted once it has written 256 MiB. */
export const defaultOutputLimits: OutputLimits = { readsPerSegment: 128, freeSegments: 8, waitAboveKib: 256 * 1024 };

/** Names of the files in a stage's folder. Few: making a file can cost more than starting a process. */
export const stageFiles = {
  script: 'script',
  /** Same, for shells that want a name with this extension. */
  powershellScript: 'script.ps1',
  /** Told by `parseStatus`: whether the stage began, how the shell ended, and whether all output is on disk. */
  status: 'status',
  /** Exists when output could not be stored. */
  damaged: 'damaged',
} as const;

/**
 * Who waits for the line that begins a stage, and where the script goes then: the user's shell itself (it has read its
 * profile by then), or the supervisor, which starts the shell with the script on standard input or as a file.
 */
export type SupervisorFeed = 'shell' | 'stdin' | 'file';

export interface SupervisedShell {
  readonly feed: SupervisorFeed;
  /** Absolute; where the shell starts. */
  readonly workingDirectory: string;
  /** The user's shell with its arguments. */
  readonly command: readonly string[];
  /** Path of setsid(1); undefined where the system has none. */
  readonly setsid: string | undefined;
}

/** What follows the path of the supervisor's program. It must be started in the stage's folder. */
export function supervisorArguments(shell: SupervisedShell): readonly string[] {
  const setsid = shell.setsid === undefined ? [] : [shell.setsid];
  return [shell.feed, shell.workingDirectory, ...setsid, ...shell.command];
}

/**
 * The line on the supervisor's standard input that begins the stage, whose script must be in the folder. Once it is
 * written the stage begins, whatever happens to the writer; without it, it never does.
 */
export function beginLine(feed: SupervisorFeed, directory: string): string {
  if (feed !== 'shell') return `${directory}\n`;
  const path = (name: string): string => quote(join(directory, name));
  return `echo begun >>${path(stageFiles.status)} && exec <${path(stageFiles.script)}\n`;
}

/**
 * The POSIX sh program that sees one stage to its end, so that neither its output nor its exit status needs a living
 * manager. Its folder is its current directory: that may be renamed before the stage begins.
 *
 * - It, or the shell, waits on standard input for the line that begins the stage. The end of the manager ends that
 *   pipe, and with it a shell that was never told to begin.
 * - The shell writes into pipes, not files: jobs reopen `/dev/stdout`, which would truncate a file. A pipe ends when
 *   its last holder closes it, so a background child that keeps the output is waited for.
 * - dd writes each read at once, and stops after a number of reads: the files can be removed while the stage runs.
 *   Its summary (`12+3 records in`, after a possible warning) tells whether it stopped for that or at the end.
 * - The shell leads a session of its own, as it would without us: `kill -- -$$` and `kill 0` of a job do not reach
 *   the supervisor. The traps are for systems without setsid(1).
 * - A shell says so on its own standard error when a signal ended a child; that tells `exit 137` from a kill. It is
 *   kept in the status file, before the exit code. (bash as sh says nothing where a script is given by `-c`.)
 */
export function supervisorScript(limits: OutputLimits): string {
  const { readsPerSegment, freeSegments, waitAboveKib } = limits;
  return `feed=$1 work=$2
shift 2
trap : HUP INT QUIT TERM
if [ "$feed" != shell ]; then
  IFS= read -r d || exit 1
  echo begun >>${stageFiles.status} || exit 1
fi
start() {
  cd -P -- "$work" && unset OLDPWD || exit 1
  case $feed in
    shell) exec "$@" ;;
    stdin) exec "$@" <"$d/${stageFiles.script}" ;;
    *) exec "$@" "$d/${stageFiles.powershellScript}" </dev/null ;;
  esac
}
is_full() {
  [ -e "$1.$(($2 - ${freeSegments}))" ] && used=$(du -sk . 2>/dev/null) && [ "\${used%%[!0-9]*}" -gt ${waitAboveKib} ]
}
count_reads() {
  reads=\${1%% records in*}
  reads=\${reads##*[!0-9+]}
  case $reads in
    [0-9]*+*[0-9]) reads=$(($reads)) ;;
    *) reads=${readsPerSegment} ;;
  esac
}
drain() {
  trap '' HUP INT QUIT TERM
  PATH=$PATH:/usr/bin:/bin LC_ALL=C
  export PATH LC_ALL
  n=0
  while summary=$(dd bs=65536 count=${readsPerSegment} of="$1.$n" 2>&1); do
    count_reads "$summary"
    [ "$reads" -eq ${readsPerSegment} ] && [ -s "$1.$n" ] || return
    n=$((n + 1))
    while is_full "$1" "$n"; do sleep 1; done
  done
  : >${stageFiles.damaged}
  exec cat >/dev/null
}
{
  trap : HUP INT QUIT TERM
  {
    trap : HUP INT QUIT TERM
    { (start "$@") 2>&3 3>&-; echo "$? end" >&2; } 2>>${stageFiles.status}
  } | { exec 3>&-; drain stdout; }
} 3>&1 | drain stderr
echo done >>${stageFiles.status}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
