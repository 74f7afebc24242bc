import type { JobUpdate, PatchOutcome, TraceDestination, UpdateOutcome } from '../port.ts';

export type Request =
  | { readonly kind: 'patch'; readonly start: number; readonly text: string; readonly length: number }
  | ({ readonly kind: 'update' } & JobUpdate);

type Answer = Partial<PatchOutcome> | Partial<UpdateOutcome> | Error;

const calm = { cancelRequested: false, updateIntervalMs: undefined };

/** A server of one job: keeps the trace as GitLab does, or answers as told. */
export class FakeDestination implements TraceDestination {
  readonly requests: Request[] = [];
  stored = Buffer.alloc(0);
  underWay = 0;
  mostUnderWay = 0;
  /** Called as each request arrives; what it returns is the answer, undefined = as a server does. */
  answer: (request: Request) => Answer | undefined | Promise<Answer | undefined> = () => undefined;
  #waiting: (() => void)[] = [];

  async patch(bytes: Uint8Array, start: number, signal: AbortSignal): Promise<PatchOutcome> {
    const text = Buffer.from(bytes).toString();
    const told = await this.#arrive({ kind: 'patch', start, text, length: bytes.length }, signal);
    if (told !== undefined) return { ...calm, ...told } as PatchOutcome;
    if (start !== this.stored.length) return { ...calm, state: 'range_mismatch', serverSize: this.stored.length };
    this.stored = Buffer.concat([this.stored, bytes]);
    return { ...calm, state: 'ok' };
  }

  async update(update: JobUpdate, signal: AbortSignal): Promise<UpdateOutcome> {
    const told = await this.#arrive({ kind: 'update', ...update }, signal);
    return { ...calm, state: 'ok', ...told } as UpdateOutcome;
  }

  /** Resolves when `count` requests have arrived. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** `patch 0+5`, `update running`, … */
  get history(): readonly string[] {
    return this.requests.map((request) =>
      request.kind === 'patch' ? `patch ${request.start}+${request.length}` : `update ${request.state}`,
    );
  }

  async #arrive(request: Request, signal: AbortSignal) {
    this.requests.push(request);
    this.underWay++;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    for (const tell of this.#waiting.splice(0)) tell();
    try {
      const answer = await Promise.race([this.answer(request), aborted(signal)]);
      if (answer instanceof Error) throw answer;
      return answer;
    } finally {
      this.underWay--;
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fail = (): void => reject(signal.reason as Error);
  if (signal.aborted) fail();
  signal.addEventListener('abort', fail, { once: true });
  return promise;
}
