import { CommandError } from '../../lib/errors.ts';
import { openTerminalInput, type TerminalInput } from '../../platform/terminal-input.ts';

export interface Question {
  readonly text: string;
  /** Names the value where it is missing and nobody can be asked. */
  readonly key: string;
  /** What is known already; an empty answer keeps it. */
  readonly known: string;
  /** Offered to a person where nothing is known; never taken without one. */
  readonly suggestion?: string;
  readonly isOptional?: boolean;
  /** What is known is not shown. */
  readonly isSecret?: boolean;
}

/** Asks a person, or, where nobody is to be asked, takes what is known. */
export interface Questions {
  /** @throws CommandError when a value is missing or the input ended; the signal's reason. */
  ask(question: Question, signal: AbortSignal): Promise<string>;
  readonly isInteractive: boolean;
  close(): void;
}

/** @throws CommandError when there is no terminal to ask in. */
export function openQuestions(isInteractive: boolean, show: (text: string) => void): Questions {
  if (!isInteractive) return { isInteractive, ask: takeKnown, close: () => {} };
  const input = openTerminalInput();
  if (input === undefined) {
    throw new CommandError('register asks questions, and standard input is no terminal', {
      hint: 'Give everything on the command line: --non-interactive --url … --token … --executor …',
    });
  }
  return {
    isInteractive,
    ask: (question, signal) => askPerson(question, input, show, signal),
    close: () => input.close(),
  };
}

function takeKnown({ key, known, isOptional }: Question): Promise<string> {
  if (known === '' && isOptional !== true) {
    return Promise.reject(new CommandError(`The ${key} needs to be entered`, { hint: `Give it with --${key}.` }));
  }
  return Promise.resolve(known);
}

async function askPerson(
  question: Question,
  input: TerminalInput,
  show: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const offered = question.known === '' ? (question.suggestion ?? '') : question.known;
  for (;;) {
    show(`${question.text}\n`);
    if (offered !== '') show(`[${question.isSecret === true ? 'as given' : offered}]: `);
    const line = await input.readLine(signal);
    if (line === undefined) throw new CommandError('Unexpected EOF. Did you mean to use --non-interactive?');
    const answer = line.trim();
    if (answer !== '') return answer;
    if (offered !== '' || question.isOptional === true) return offered;
  }
}
