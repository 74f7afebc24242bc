/** Variables of PowerShell itself that cannot be assigned: the job's variable of that name goes to the environment only. */
const readOnlyVariables = new Set(
  [
    'error',
    'executioncontext',
    'false',
    'home',
    'host',
    'null',
    'pid',
    'pshome',
    'psversiontable',
    'shellid',
    'true',
  ].concat(['iscoreclr', 'islinux', 'ismacos', 'iswindows', 'psedition', 'psculture', 'psuiculture']),
);

/** Lines that set a variable of the environment and, where PowerShell lets one, of the script; the value is PowerShell text. */
export function assignmentLines(key: string, value: string): readonly string[] {
  if (readOnlyVariables.has(key.toLowerCase())) return [`\${env:${key}}=${value}`];
  return [`\${${key}}=${value}`, `\${env:${key}}=\${${key}}`];
}
