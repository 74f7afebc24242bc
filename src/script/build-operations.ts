import type { ScriptCondition, ScriptOperation } from './operations.ts';

/** Short forms for the planners; each makes one operation. */
export function command(name: string, ...args: readonly string[]): ScriptOperation {
  return { op: 'command', command: name, arguments: args };
}

/** A command whose arguments hold `${NAME}` references for the shell. */
export function expandedCommand(name: string, ...args: readonly string[]): ScriptOperation {
  return { op: 'command', command: name, arguments: args, expand: true };
}

export function git(...args: readonly string[]): ScriptOperation {
  return command('git', ...args);
}

export function notice(text: string): ScriptOperation {
  return { op: 'print', level: 'notice', text };
}

export function warning(text: string): ScriptOperation {
  return { op: 'print', level: 'warning', text };
}

export function when(
  condition: ScriptCondition,
  then: readonly ScriptOperation[],
  otherwise: readonly ScriptOperation[] = [],
): ScriptOperation {
  // oxlint-disable-next-line unicorn/no-thenable -- it is a list, nothing awaits it
  return { op: 'if', condition, then, else: otherwise };
}

export function removeFile(path: string): ScriptOperation {
  return { op: 'removeFile', path };
}

export function removeDirectory(path: string): ScriptOperation {
  return { op: 'removeDirectory', path };
}

export function makeDirectory(path: string): ScriptOperation {
  return { op: 'makeDirectory', path };
}

export function changeDirectory(path: string): ScriptOperation {
  return { op: 'changeDirectory', path };
}

/** The entries of a user's script as operations; each is trimmed. */
export function userCommands(
  lines: readonly string[],
  sectionPrefix: string,
  asSections: boolean,
): readonly ScriptOperation[] {
  return lines.map((line, index) => {
    const text = line.trim();
    return {
      op: 'userCommand',
      text,
      sectionId: `${sectionPrefix}_${index}`,
      asSection: asSections && text.includes('\n'),
    };
  });
}
