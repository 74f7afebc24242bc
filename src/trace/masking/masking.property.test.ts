import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteLayer } from '../byte-layer.ts';
import { maskPhrases, maskTokens, maskUrlParameters } from '../testing/masking-oracle.ts';
import { cutAt, cutPlaces, propertyRuns, runLayer } from '../testing/split.ts';
import { type MaskerState, Masking, maskerStateSchema } from './masking.ts';
import { PhraseAutomaton } from './phrase-automaton.ts';
import { PhraseMasker, phraseMaskerStateSchema } from './phrase-masker.ts';
import { TokenPrefixMasker, tokenPrefixMaskerStateSchema } from './token-prefix-masker.ts';
import {
  createSecretParameterAutomaton,
  UrlParameterMasker,
  urlParameterMaskerStateSchema,
} from './url-parameter-masker.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function textOver(alphabet: readonly string[], maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...alphabet), { maxLength }).map((parts) => parts.join(''));
}

/** With and without the table of transitions, and with one that appears on the way. */
const tableAfterSteps = fc.constantFrom(1, 5, 20_000);

/** Phrases and a text made of few letters and of pieces of the phrases, so that occurrences overlap and touch. */
function phraseCase(letters: readonly string[], longest: number) {
  const phrase = fc
    .array(fc.constantFrom(...letters), { minLength: 1, maxLength: longest })
    .map((parts) => parts.join(''));
  return fc.array(phrase, { minLength: 1, maxLength: 5 }).chain((phrases) => {
    const unique = [...new Set(phrases)];
    const piece = fc.oneof(
      fc.constantFrom(...letters),
      fc.constantFrom(...unique),
      fc.constantFrom(...unique).chain((whole) => fc.nat(whole.length).map((length) => whole.slice(length))),
    );
    return fc.record({
      phrases: fc.constant(unique),
      text: fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
      places: cutPlaces,
      tableAfterSteps,
    });
  });
}

/** Writes the pieces, but goes through a snapshot and a new layer before each of them. */
function runWithRestores(first: ByteLayer, pieces: readonly Uint8Array[], restore: (state: unknown) => ByteLayer) {
  let layer = first;
  let output = '';
  for (const piece of pieces) {
    layer = restore(JSON.parse(JSON.stringify(layer.snapshot())));
    output += Buffer.from(layer.write(piece)).toString('latin1');
  }
  layer = restore(JSON.parse(JSON.stringify(layer.snapshot())));
  return output + Buffer.from(layer.flush()).toString('latin1');
}

describe('masking, any values and any split', () => {
  it.each([
    { letters: ['a', 'b'], longest: 6, runs: 40_000 },
    { letters: ['a', 'b', '\n'], longest: 3, runs: 20_000 },
    { letters: ['a', 'b', 'c', '\xff', '\x00'], longest: 9, runs: 20_000 },
  ])('masks phrases over $letters as the oracle does', ({ letters, longest, runs }) => {
    fc.assert(
      fc.property(phraseCase(letters, longest), ({ phrases, text, places, tableAfterSteps }) => {
        const automaton = new PhraseAutomaton(phrases.map(latin1), tableAfterSteps);
        const pieces = cutAt(latin1(text), places);
        const expected = maskPhrases(text, phrases);
        expect(runLayer(new PhraseMasker(automaton), pieces)).toBe(expected);
        const restore = (state: unknown) => new PhraseMasker(automaton, phraseMaskerStateSchema.parse(state));
        expect(runWithRestores(new PhraseMasker(automaton), pieces, restore)).toBe(expected);
      }),
      { numRuns: propertyRuns(runs) },
    );
  });

  it('masks URL parameters as the oracle does', () => {
    const automaton = createSecretParameterAutomaton();
    const text = textOver(
      ['?', '&', '=', ' ', 'x', '\n', 'private_token', 'PRIVATE_', 'token=', 'rss_token=', 'X-Amz-Signature=', '\x85'],
      12,
    );
    fc.assert(
      fc.property(text, cutPlaces, (text, places) => {
        const pieces = cutAt(latin1(text), places);
        const expected = maskUrlParameters(text);
        expect(runLayer(new UrlParameterMasker(automaton), pieces)).toBe(expected);
        const restore = (state: unknown) =>
          new UrlParameterMasker(automaton, urlParameterMaskerStateSchema.parse(state));
        expect(runWithRestores(new UrlParameterMasker(automaton), pieces, restore)).toBe(expected);
      }),
      { numRuns: propertyRuns(10_000) },
    );
  });

  it('masks tokens as the oracle does', () => {
    const prefix = fc.oneof(textOver(['a', '-', ' ', 'b'], 4), fc.constantFrom('glpat-', 'gl-', '_gitlab_session='));
    const prefixes = fc.array(
      prefix.filter((text) => text !== ''),
      { minLength: 1, maxLength: 4 },
    );
    const text = textOver(['a', 'b', '-', ' ', '\n', '/', 'glpat-', 'gl', 'glp', '_gitlab_session='], 14);
    fc.assert(
      fc.property(prefixes, text, cutPlaces, tableAfterSteps, (prefixes, text, places, tableAfterSteps) => {
        const automaton = new PhraseAutomaton([...new Set(prefixes)].map(latin1), tableAfterSteps);
        const pieces = cutAt(latin1(text), places);
        const expected = maskTokens(text, prefixes);
        expect(runLayer(new TokenPrefixMasker(automaton), pieces)).toBe(expected);
        const restore = (state: unknown) => new TokenPrefixMasker(automaton, tokenPrefixMaskerStateSchema.parse(state));
        expect(runWithRestores(new TokenPrefixMasker(automaton), pieces, restore)).toBe(expected);
      }),
      { numRuns: propertyRuns(10_000) },
    );
  });

  it('masks with all three layers in a row as the oracles do', () => {
    const text = textOver(['a', 'b', '?', '&private_token=', 'glpat-', ' ', '\n', 'ab', 'a?rss_token=b', 'en='], 14);
    const phrases = fc.array(
      textOver(['a', 'b', 'n=', '-', '?'], 4).filter((phrase) => phrase !== ''),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(phrases, text, cutPlaces, (phrases, text, places) => {
        const masking = new Masking({ phrases, tokenPrefixes: ['glpat-'] });
        const pieces = cutAt(latin1(text), places);
        const expected = maskTokens(maskUrlParameters(maskPhrases(text, phrases)), ['glpat-']);
        expect(runLayer(masking.createMasker(), pieces)).toBe(expected);
        const restore = (state: unknown) => masking.createMasker(maskerStateSchema.parse(state) satisfies MaskerState);
        expect(runWithRestores(masking.createMasker(), pieces, restore)).toBe(expected);
      }),
      { numRuns: propertyRuns(10_000) },
    );
  });
});
