import * as z from 'zod';
import type { ByteLayer } from '../byte-layer.ts';
import { LayerChain } from '../layer-chain.ts';
import { PhraseAutomaton } from './phrase-automaton.ts';
import { PhraseMasker, phraseMaskerStateSchema } from './phrase-masker.ts';
import { TokenPrefixMasker, tokenPrefixMaskerStateSchema } from './token-prefix-masker.ts';
import {
  createSecretParameterAutomaton,
  UrlParameterMasker,
  urlParameterMaskerStateSchema,
} from './url-parameter-masker.ts';

export interface MaskingRules {
  /** Values that must not be shown. */
  readonly phrases: readonly string[];
  /** Beginnings of tokens (`glpat-`); what follows them is masked. */
  readonly tokenPrefixes: readonly string[];
}

export const maskerStateSchema = z.tuple([
  phraseMaskerStateSchema,
  urlParameterMaskerStateSchema,
  tokenPrefixMaskerStateSchema,
]);
export type MaskerState = z.output<typeof maskerStateSchema>;

/** The masking of one job, made ready once; each stream gets its own masker from it. */
export class Masking {
  readonly #phrases: PhraseAutomaton;
  readonly #secretParameters = createSecretParameterAutomaton();
  readonly #tokenPrefixes: PhraseAutomaton;

  constructor(rules: MaskingRules) {
    this.#phrases = new PhraseAutomaton(distinctTexts(rules.phrases));
    this.#tokenPrefixes = new PhraseAutomaton(distinctTexts(rules.tokenPrefixes));
  }

  /** The three maskers of one stream in their order, from the beginning or from a snapshot of theirs. */
  createMasker(state?: MaskerState): ByteLayer {
    return new LayerChain([
      new PhraseMasker(this.#phrases, state?.[0]),
      new UrlParameterMasker(this.#secretParameters, state?.[1]),
      new TokenPrefixMasker(this.#tokenPrefixes, state?.[2]),
    ]);
  }
}

function distinctTexts(texts: readonly string[]): readonly Buffer[] {
  const trimmed = texts.map((text) => text.trim()).filter((text) => text !== '');
  return [...new Set(trimmed)].map((text) => Buffer.from(text));
}
