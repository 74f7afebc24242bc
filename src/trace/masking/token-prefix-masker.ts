import * as z from 'zod';
import { type ByteLayer, fromBase64, NO_BYTES, toBase64 } from '../byte-layer.ts';
import { ByteWriter } from '../byte-writer.ts';
import { MASK } from './mask.ts';
import { type PhraseAutomaton, ROOT } from './phrase-automaton.ts';

export const tokenPrefixMaskerStateSchema = z.object({
  /** What was read of prefixes that may still become whole. */
  begun: z.string(),
  afterPrefix: z.boolean(),
  inToken: z.boolean(),
});
export type TokenPrefixMaskerState = z.output<typeof tokenPrefixMaskerStateSchema>;

const isTokenByte = tokenBytes();

/**
 * Masks what follows a token prefix (spec job-execution.md §12): the run of token characters behind every occurrence of
 * every prefix, however many prefixes there are. Prefixes stay, so nothing is ever held back.
 */
export class TokenPrefixMasker implements ByteLayer {
  readonly #automaton: PhraseAutomaton;
  #state = ROOT;
  #afterPrefix = false;
  #inToken = false;

  constructor(automaton: PhraseAutomaton, state?: TokenPrefixMaskerState) {
    this.#automaton = automaton;
    if (state === undefined) return;
    this.#state = automaton.stateOf(fromBase64(state.begun));
    this.#afterPrefix = state.afterPrefix;
    this.#inToken = state.inToken;
  }

  write(bytes: Uint8Array): Uint8Array {
    const automaton = this.#automaton;
    const { matchLength, live } = automaton;
    const length = bytes.length;
    let state = this.#state;
    let afterPrefix = this.#afterPrefix;
    let inToken = this.#inToken;
    let writer: ByteWriter | undefined;
    let shownFrom = 0;
    for (let index = 0; index < length; index++) {
      if (state === ROOT && !afterPrefix && !inToken) {
        index = automaton.skip(bytes, index);
        if (index >= length) break;
      }
      const byte = bytes[index] as number;
      if (isTokenByte[byte] === 0) {
        if (inToken) shownFrom = index;
        inToken = false;
      } else if (afterPrefix && !inToken) {
        writer ??= new ByteWriter(length + MASK.length);
        writer.copy(bytes, shownFrom, index);
        writer.copy(MASK);
        inToken = true;
      }
      // Also inside a token: a prefix may begin in it and end behind it.
      state = automaton.step(state, byte);
      afterPrefix = (matchLength[state] as number) > 0;
      state = live[state] as number;
    }
    const startedInToken = this.#inToken;
    this.#state = state;
    this.#afterPrefix = afterPrefix;
    this.#inToken = inToken;
    if (writer === undefined && !startedInToken) return bytes;
    if (inToken) shownFrom = length;
    if (writer === undefined) return bytes.subarray(shownFrom);
    writer.copy(bytes, shownFrom);
    return writer.take();
  }

  flush(): Uint8Array {
    this.#state = ROOT;
    this.#afterPrefix = false;
    this.#inToken = false;
    return NO_BYTES;
  }

  snapshot(): TokenPrefixMaskerState {
    return {
      begun: toBase64(this.#automaton.label(this.#state)),
      afterPrefix: this.#afterPrefix,
      inToken: this.#inToken,
    };
  }
}

/** `A-Z a-z 0-9 . _ = -` */
function tokenBytes(): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=-')) table[byte] = 1;
  return table;
}
