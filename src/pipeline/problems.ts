import { PipelineError, type PipelineProblem } from '../lib/errors.ts';
import type { Position } from './yaml/nodes.ts';

/** Something worth telling the user that does not stop the pipeline. */
export type PipelineNotice = PipelineProblem;

/** Collects everything that is wrong with a configuration, so that all of it can be shown at once. */
export class Problems {
  readonly #problems = new Map<string, PipelineProblem>();
  readonly #notices = new Map<string, PipelineNotice>();

  readonly #unusable = new Set<string>();

  get isEmpty(): boolean {
    return this.#problems.size === 0;
  }

  /** Notes a problem; the same text at the same place is noted once. */
  add(message: string, at: Position, hint?: string): void {
    if (!this.#unusable.has(placeOf(at))) put(this.#problems, message, at, hint);
  }

  /** Notes a problem that leaves no usable value at its place: what others say about that place would only be fallout. */
  addFatal(message: string, at: Position, hint?: string): void {
    this.add(message, at, hint);
    this.#unusable.add(placeOf(at));
  }

  notice(message: string, at: Position, hint?: string): void {
    put(this.#notices, message, at, hint);
  }

  notices(): readonly PipelineNotice[] {
    return [...this.#notices.values()];
  }

  /** Throws a `PipelineError` with everything noted so far, if there is anything. */
  throwIfAny(): void {
    if (this.isEmpty) return;
    const problems = inOrderOfPlace([...this.#problems.values()]);
    const lines = problems.map(problemLine);
    throw new PipelineError(lines.join('\n'), { problems });
  }
}

/** `file:line:column: message` on one line, the hint behind it. */
export function problemLine(problem: PipelineProblem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return `${place}: ${problem.message}${problem.hint === undefined ? '' : ` (${problem.hint})`}`;
}

function placeOf(at: Position): string {
  return `${at.file}\n${at.line}:${at.column}`;
}

function put(into: Map<string, PipelineProblem>, message: string, at: Position, hint: string | undefined): void {
  const key = `${placeOf(at)}\n${message}`;
  if (into.has(key)) return;
  const place = { message, file: at.file, line: at.line, column: at.column };
  into.set(key, hint === undefined ? place : { ...place, hint });
}

/** Files stay in the order in which they were first mentioned. */
function inOrderOfPlace(problems: readonly PipelineProblem[]): PipelineProblem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  return problems.toSorted(
    (left, right) =>
      files.indexOf(left.file) - files.indexOf(right.file) || left.line - right.line || left.column - right.column,
  );
}
