import type { HelperIo } from './helper-command.ts';

/** Output of work that runs before its turn. */
export interface HeldOutput {
  readonly io: HelperIo;
  /** Its turn has come: shows what was kept back, and everything from now on at once. Idempotent. */
  release(): void;
}

/** Keeps back what is written until it is released; both streams in the order they were written. */
export function holdOutput(io: HelperIo): HeldOutput {
  let held: (() => void)[] | undefined = [];
  const keep = (write: (text: string) => void) => (text: string) => {
    if (held === undefined) write(text);
    else held.push(() => write(text));
  };
  return {
    io: { ...io, stdout: keep(io.stdout), stderr: keep(io.stderr) },
    release: () => {
      const waiting = held ?? [];
      held = undefined;
      for (const show of waiting) show();
    },
  };
}
