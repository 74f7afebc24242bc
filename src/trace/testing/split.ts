import * as fc from 'fast-check';
import type { ByteLayer } from '../byte-layer.ts';

/** Cuts bytes at the given places, in whatever order they come. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const borders = [0, ...cuts, bytes.length];
  return borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
}

/** Everything a layer says about an input given in these pieces. */
export function runLayer(layer: ByteLayer, pieces: readonly Uint8Array[]): string {
  const parts = pieces.map((piece) => Buffer.from(layer.write(piece)));
  parts.push(Buffer.from(layer.flush()));
  return Buffer.concat(parts).toString('latin1');
}

export const cutPlaces = fc.array(fc.nat(64), { maxLength: 6 });

/** Total number of property cases per run of a file; more by hand through an environment variable. */
export function propertyRuns(share: number): number {
  const factor = Number(process.env['MILLRACE_PROPERTY_FACTOR'] ?? '1');
  return Math.ceil(share * factor);
}
