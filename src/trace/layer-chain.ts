import type { JsonValue } from '../lib/json.ts';
import { type ByteLayer, NO_BYTES } from './byte-layer.ts';
import { ByteWriter } from './byte-writer.ts';

/** Layers in a row, each taking what the one before gives. Its snapshot is the list of theirs. */
export class LayerChain implements ByteLayer {
  readonly #layers: readonly ByteLayer[];

  constructor(layers: readonly ByteLayer[]) {
    this.#layers = layers;
  }

  write(bytes: Uint8Array): Uint8Array {
    return this.#writeFrom(0, bytes);
  }

  flush(): Uint8Array {
    const writer = new ByteWriter(0);
    for (const [index, layer] of this.#layers.entries()) writer.copy(this.#writeFrom(index + 1, layer.flush()));
    return writer.length === 0 ? NO_BYTES : writer.take();
  }

  snapshot(): readonly JsonValue[] {
    return this.#layers.map((layer) => layer.snapshot());
  }

  #writeFrom(start: number, bytes: Uint8Array): Uint8Array {
    let passing = bytes;
    for (let index = start; index < this.#layers.length && passing.length > 0; index++) {
      passing = (this.#layers[index] as ByteLayer).write(passing);
    }
    return passing;
  }
}
