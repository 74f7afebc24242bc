/** What the supervisor of one stage is told. */
export interface SupervisorOptions {
  /** Private folder of the stage run. */
  readonly directory: string;
  /** The user's shell with its arguments. */
  readonly command: readonly string[];
  /** Path of setsid(1); undefined where the system has none. */
  readonly setsid: string | undefined;
  /** Whether the shell reads the script from standard input. */
  readonly scriptOnStdin: boolean;
  readonly limits: OutputLimits;
}

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
  supervisor: 'supervise',
  /** The supervisor's process id. */
  supervisorId: 'supervisor',
  /** Told by `parseStatus`: how the shell ended, and whether all output is on disk. */
  status: 'status',
  /** Exists when output could not be stored. */
  damaged: 'damaged',
} as const;

/**
 * The POSIX sh program that sees one stage to its end, so that neither its output nor its exit status needs a living
 * manager.
 *
 * - The shell writes into pipes, not files: jobs reopen `/dev/stdout`, which would truncate a file. A pipe ends when
 *   its last holder closes it, so a background child that keeps the output is waited for.
 * - dd writes each read at once, and stops after a number of reads: the files can be removed while the stage runs.
 *   Its summary (`12+3 records in`, after a possible warning) tells whether it stopped for that or at the end.
 * - The shell leads a session of its own, as it would without us: `kill -- -$$` and `kill 0` of a job do not reach
 *   the supervisor. The traps are for systems without setsid(1).
 * - It makes its first file only if nobody else has: what did not come up before a manager claims the stage never does.
 * - A shell says so on its own standard error when a signal ended a child; that tells `exit 137` from a kill. It is
 *   kept in the status file, before the exit code. (bash as sh says nothing where a script is given by `-c`.)
 */
export function supervisorScript(options: SupervisorOptions): string {
  const { readsPerSegment, freeSegments, waitAboveKib } = options.limits;
  const command = [...(options.setsid === undefined ? [] : [options.setsid]), ...options.command].map(quote).join(' ');
  const input = options.scriptOnStdin ? `"$d/${stageFiles.script}"` : '/dev/null';
  return `d=${quote(options.directory)}
set -C
: >"$d/${stageFiles.supervisorId}" || exit 1
set +C
echo $$ >"$d/${stageFiles.supervisorId}"
is_full() {
  [ -e "$d/$1.$(($2 - ${freeSegments}))" ] && used=$(du -sk "$d" 2>/dev/null) && [ "\${used%%[!0-9]*}" -gt ${waitAboveKib} ]
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
  while summary=$(dd bs=65536 count=${readsPerSegment} of="$d/$1.$n" 2>&1); do
    count_reads "$summary"
    [ "$reads" -eq ${readsPerSegment} ] && [ -s "$d/$1.$n" ] || return
    n=$((n + 1))
    while is_full "$1" "$n"; do sleep 1; done
  done
  : >"$d/${stageFiles.damaged}"
  exec cat >/dev/null
}
trap : HUP INT QUIT TERM
{
  trap : HUP INT QUIT TERM
  {
    trap : HUP INT QUIT TERM
    { (exec ${command}) <${input} 2>&3 3>&-; echo "$? end" >&2; } 2>"$d/${stageFiles.status}"
  } | { exec 3>&-; drain stdout; }
} 3>&1 | drain stderr
echo done >>"$d/${stageFiles.status}"
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
