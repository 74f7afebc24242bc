import { isPosixName } from '../variables/variable-names.ts';
import { coloured } from './colours.ts';
import type { PosixWriter } from './posix-writer.ts';
import type { StageExports } from './stage-exports.ts';

/** Exports the job's variables; names a shell cannot have are left out. */
export function exportLines(exports: StageExports, writer: PosixWriter): void {
  const variables = exports.variables.filter(({ key }) => isPosixName(key));
  const temporary = exports.handedOnFile.slice(0, exports.handedOnFile.lastIndexOf('/'));
  writer.line(`[ -d ${writer.path(temporary)} ] || mkdir -p ${writer.path(temporary)}`);
  for (const variable of variables) {
    if (variable.kind === 'value') {
      writer.line(`export ${variable.key}=${writer.quote(variable.value)}`);
      continue;
    }
    if (variable.kind === 'file') writer.writeFile(variable.path, variable.content);
    writer.line(`export ${variable.key}=${writer.value(variable.path)}`);
  }
  for (const line of sourceLines(exports.handedOnFile, writer)) writer.line(line);
  if (exports.globalGitConfig !== undefined) {
    writer.line(`export GIT_CONFIG_GLOBAL=${writer.value(exports.globalGitConfig)}`);
  }
}

/**
 * Exports each `KEY=VALUE` line of the file, the last one without a line end too. A line that is none is passed over
 * with a warning: it says where, not what, as it may be a secret.
 */
function sourceLines(file: string, writer: PosixWriter): readonly string[] {
  const path = writer.path(file);
  const warning = writer.quote(
    `${coloured('warning', 'WARNING: GITLAB_ENV: line %s is not KEY=VALUE, it is ignored')}\\n`,
  );
  return [
    `[ -e ${path} ] || : >> ${path}`,
    `if [ -s ${path} ]; then`,
    '  __millrace_number=0',
    '  while read -r __millrace_line || [ -n "$__millrace_line" ]; do',
    '    __millrace_number=$((__millrace_number + 1))',
    '    case "${__millrace_line%%=*}" in',
    `      [0-9]*|*[!A-Za-z0-9_]*) __millrace_line='?' ;;`,
    '    esac',
    '    case "$__millrace_line" in',
    `      '') ;;`,
    `      [A-Za-z_]*=*) command export "$__millrace_line" || printf ${warning} "$__millrace_number" ;;`,
    `      *) printf ${warning} "$__millrace_number" ;;`,
    '    esac',
    `  done < ${path}`,
    '  unset __millrace_line __millrace_number',
    'fi',
  ];
}
