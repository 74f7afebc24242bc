import type { ProgressLine } from '../api/answers.ts';

interface Layer {
  readonly current: number;
  readonly total: number;
}

/** How far a pull is, from the lines of the daemon. */
export class PullProgress {
  readonly #layers = new Map<string, Layer>();
  #movedAt = 0;
  #isResolved = false;
  #lastText = '';

  start(nowMs: number): void {
    this.#movedAt = nowMs;
  }

  take(line: ProgressLine, nowMs: number): void {
    // The first line comes once the daemon knows what the registry has under this name.
    this.#isResolved = true;
    const { current, total } = line.progressDetail ?? { current: 0, total: 0 };
    const text = `${line.id} ${line.status} ${current}`;
    if (text === this.#lastText) return;
    this.#lastText = text;
    this.#movedAt = nowMs;
    if (line.status === 'Downloading') this.#layers.set(line.id, { current, total });
    const layer = this.#layers.get(line.id);
    const isLoaded = line.status === 'Download complete' || line.status === 'Pull complete';
    if (isLoaded && layer !== undefined) this.#layers.set(line.id, { current: layer.total, total: layer.total });
  }

  /** When it last moved, milliseconds. */
  get movedAt(): number {
    return this.#movedAt;
  }

  get isResolved(): boolean {
    return this.#isResolved;
  }

  /** `12.0 MB of 30.5 MB`, of the layers that are known so far. */
  describe(): string {
    let [current, total] = [0, 0];
    for (const layer of this.#layers.values()) {
      current += layer.current;
      total += layer.total;
    }
    return total === 0 ? 'waiting for the registry' : `${megabytes(current)} of ${megabytes(total)}`;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
