import { isPowershellName } from '../variables/variable-names.ts';
import { coloured } from './colours.ts';
import { assignmentLines } from './powershell-assignment.ts';
import { escapeText, quoteValue } from './powershell-quoting.ts';
import type { PowershellWriter } from './powershell-writer.ts';
import type { StageExports } from './stage-exports.ts';

/** Sets the job's variables, as environment and as variables of the script. */
export function powershellExports(exports: StageExports, writer: PowershellWriter): void {
  const temporary = exports.handedOnFile.slice(0, exports.handedOnFile.lastIndexOf('/'));
  writer.makeDirectory(temporary);
  for (const variable of exports.variables.filter(({ key }) => isPowershellName(key))) {
    if (variable.kind === 'file') writer.writeFile(variable.path, variable.content);
    const value = variable.kind === 'value' ? quoteValue(variable.value) : writer.path(variable.path);
    writer.all(assignmentLines(variable.key, value));
  }
  writer.all(sourceLines(exports.handedOnFile, writer));
  if (exports.globalGitConfig !== undefined) {
    writer.all(assignmentLines('GIT_CONFIG_GLOBAL', writer.path(exports.globalGitConfig)));
  }
}

/** Sets each `KEY=VALUE` line of the file; a value may hold `=`. Other lines are passed over with a warning. */
function sourceLines(file: string, writer: PowershellWriter): readonly string[] {
  const path = writer.path(file);
  const start = escapeText(coloured('warning', 'WARNING: GITLAB_ENV: line ').replace(/\x1b\[0;m$/, ''));
  const end = escapeText(' is not KEY=VALUE, it is ignored\x1b[0;m');
  return [
    `if(!(Test-Path -LiteralPath ${path} -PathType Leaf)) { New-Item -ItemType File -Force -Path ${path} | Out-Null }`,
    'Try {',
    `  Get-Content -LiteralPath ${path} | ForEach-Object {`,
    "    if($_ -match '^\\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$') {",
    '      Set-Item -LiteralPath "env:$($Matches[1])" -Value $Matches[2]',
    "    } elseif($_ -match '\\S') {",
    `      echo "${start}$($_.ReadCount)${end}"`,
    '    }',
    '  }',
    '} Catch {',
    `  echo ${quoteValue(coloured('warning', `Unable to read env file: ${file}`))}`,
    '}',
  ];
}
