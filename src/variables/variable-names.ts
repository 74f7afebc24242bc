/** Whether a POSIX shell can have a variable of that name. */
export function isPosixName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** Whether PowerShell can have it, written as `${name}`; its environment takes such names too. */
export function isPowershellName(name: string): boolean {
  return name !== '' && !/[\0-\x1f=:{}`\\/]/.test(name);
}
