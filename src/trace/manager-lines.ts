import type { ByteLayer } from './byte-layer.ts';
import { NO_BYTES } from './byte-layer.ts';
import * as forms from './line-forms.ts';
import type { TraceLog } from './port.ts';
import type { StreamRecipe } from './stream-chain.ts';
import { Timestamper, type TimestamperState } from './timestamper.ts';

const MANAGER_STREAM = 0;

/** Lines of the manager and the executor. Every text is whole, so nothing but a begun line outlives a write. */
export class ManagerLines {
  readonly #timestamper: Timestamper | undefined;
  #masker: ByteLayer;

  constructor(recipe: StreamRecipe, state?: TimestamperState) {
    this.#masker = recipe.masking.createMasker();
    this.#timestamper =
      recipe.timestampClock === undefined
        ? undefined
        : new Timestamper(recipe.timestampClock, MANAGER_STREAM, 'O', state);
  }

  write(text: string): Uint8Array {
    const masked = Buffer.concat([this.#masker.write(Buffer.from(text)), this.#masker.flush()]);
    return this.#timestamper?.write(masked) ?? masked;
  }

  flush(): Uint8Array {
    return this.#timestamper?.flush() ?? NO_BYTES;
  }

  snapshot(): TimestamperState | null {
    return this.#timestamper?.snapshot() ?? null;
  }
}

/** The log's methods over one that writes text. */
export function createTraceLog(write: (text: string) => void): TraceLog {
  return {
    print: (text) => write(forms.printLine(text)),
    info: (text) => write(forms.infoLine(text)),
    warning: (text) => write(forms.warningLine(text)),
    error: (text) => write(forms.errorLine(text)),
    raw: write,
  };
}
