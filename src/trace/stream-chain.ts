import * as z from 'zod';
import type { Clock } from '../lib/clock.ts';
import type { ByteLayer } from './byte-layer.ts';
import { LayerChain } from './layer-chain.ts';
import { type Masking, maskerStateSchema } from './masking/masking.ts';
import { type LineSource, Timestamper, timestamperStateSchema } from './timestamper.ts';
import { Utf8Sanitizer, utf8SanitizerStateSchema } from './utf8-sanitizer.ts';

/** Number of the stream of a script's output in line headers; the manager's is 0. */
const SCRIPT_STREAM = 1;

/** The last one is absent without timestamps. */
export const streamChainStateSchema = z.tuple([
  maskerStateSchema,
  utf8SanitizerStateSchema,
  timestamperStateSchema.optional(),
]);
export type StreamChainState = z.output<typeof streamChainStateSchema>;

/** What all streams of a job have in common. */
export interface StreamRecipe {
  readonly masking: Masking;
  /** undefined = lines get no header. */
  readonly timestampClock: Clock | undefined;
}

/** All layers of one output stream of a stage: masking, valid UTF-8, line headers. */
export function createStreamChain(recipe: StreamRecipe, source: LineSource, state?: StreamChainState): ByteLayer {
  const layers: ByteLayer[] = [recipe.masking.createMasker(state?.[0]), new Utf8Sanitizer(state?.[1])];
  if (recipe.timestampClock !== undefined) {
    layers.push(new Timestamper(recipe.timestampClock, SCRIPT_STREAM, source, state?.[2]));
  }
  return new LayerChain(layers);
}
