import type { ScriptOperation } from '../script/operations.ts';
import { quoteSingle, quoteValue } from './powershell-quoting.ts';

/** Remove-Item2 of the module NTFSSecurity removes what is too deep for Windows' own limit of path lengths. */
const hasLongPathRemoval = '(Get-Command -Name Remove-Item2 -Module NTFSSecurity -ErrorAction SilentlyContinue)';

export function removeFileLines(path: string): readonly string[] {
  return [
    `if(${hasLongPathRemoval} -and (Test-Path -LiteralPath ${path} -PathType Leaf)) {`,
    `  Remove-Item2 -Force ${path}`,
    `} elseif(Test-Path -LiteralPath ${path}) {`,
    `  Remove-Item -Force -LiteralPath ${path}`,
    '}',
    '',
  ];
}

/** Children go before their folders, one by one, and links are not followed: PowerShell's own recursion fails at both. */
export function removeDirectoryLines(path: string): readonly string[] {
  return [
    `if(${hasLongPathRemoval} -and (Test-Path -LiteralPath ${path} -PathType Container)) {`,
    `  Remove-Item2 -Force -Recurse ${path}`,
    `} elseif(Test-Path -LiteralPath ${path}) {`,
    `  $removedItem = Get-Item -Force -LiteralPath ${path}`,
    '  if($removedItem.PSIsContainer -and !$removedItem.LinkType) {',
    '    Get-ChildItem -Force -Recurse -LiteralPath $removedItem.FullName | Sort-Object -Property { $_.FullName.Length } -Descending | ForEach-Object {',
    '      Remove-Item -Force -LiteralPath $_.FullName -ErrorAction Stop',
    '    }',
    '  }',
    '  Remove-Item -Force -LiteralPath $removedItem.FullName -ErrorAction Stop',
    '}',
    '',
  ];
}

export function removeByNameLines(path: string, name: string, kind: 'file' | 'directory'): readonly string[] {
  const test = kind === 'file' ? '!$_.PSIsContainer' : '$_.PSIsContainer';
  return [
    `if(Test-Path -LiteralPath ${path} -PathType Container) {`,
    `  Get-ChildItem -Force -LiteralPath ${path} -Filter ${quoteValue(name)} -Recurse | Where-Object { ${test} } | ForEach-Object { Remove-Item -Force -Recurse -LiteralPath $_.FullName }`,
    '}',
    '',
  ];
}

/** PowerShell's pipeline would change the text's encoding: the program reads a file instead. */
export function withInputLines(operation: Extract<ScriptOperation, { op: 'commandWithInput' }>): readonly string[] {
  const list = operation.arguments.map(quoteSingle).join(',');
  const options = '-NoNewWindow -PassThru -Wait -RedirectStandardInput $inputFile';
  const start = `Start-Process ${options} -FilePath ${quoteSingle(operation.command)}${list === '' ? '' : ` -ArgumentList ${list}`}`;
  return [
    '& {',
    '  try {',
    '    $inputFile = [System.IO.Path]::GetTempFileName()',
    `    [System.IO.File]::WriteAllText($inputFile, ${quoteValue(`${operation.input}\n`)})`,
    `    $process = ${start}`,
    ...(operation.bestEffort ? ['  } catch {'] : ['    if($process.ExitCode -ne 0) { Exit $process.ExitCode }']),
    '  } finally {',
    '    if($inputFile) { Remove-Item -Force -ErrorAction SilentlyContinue -LiteralPath $inputFile }',
    '  }',
    '}',
  ];
}
