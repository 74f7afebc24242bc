import * as z from 'zod';
import type { JsonValue } from '../../../lib/json.ts';
import type { OutputStream } from '../../port.ts';
import type { OutputFrames } from '../api/docker-client.ts';
import { LogPosition } from './log-position.ts';

/** How many bytes of each stream the daemon's log of a container has up to some point. */
export type LogOffsets = Readonly<Record<OutputStream, number>>;

export const startOfLog: LogOffsets = { stdout: 0, stderr: 0 };

/** Output of a container, with where the daemon's log stands after it. */
export interface OutputPiece {
  readonly stream: OutputStream;
  readonly bytes: Buffer;
  readonly endsAt: number;
}

export const outputStreams: readonly OutputStream[] = ['stdout', 'stderr'];

/** Output as it is written, from a stream that was attached where the log stands at `from`. */
export async function* attachedOutput(frames: OutputFrames, from: LogOffsets): AsyncGenerator<OutputPiece> {
  const positions = { stdout: new LogPosition(from.stdout), stderr: new LogPosition(from.stderr) };
  for await (const { stream, bytes: raw } of frames) {
    const { bytes, logBytes } = positions[stream].take(raw);
    if (bytes.length > 0) yield { stream, bytes, endsAt: logBytes };
  }
  for (const stream of outputStreams) {
    const { bytes, logBytes } = positions[stream].end();
    if (bytes.length > 0) yield { stream, bytes, endsAt: logBytes };
  }
}

/** The same from the log, which is read from its beginning: it cannot be read from an offset. */
export async function* loggedOutput(frames: OutputFrames, from: LogOffsets): AsyncGenerator<OutputPiece> {
  const position = { stdout: 0, stderr: 0 };
  for await (const { stream, bytes } of frames) {
    const start = position[stream];
    position[stream] += bytes.length;
    const skipped = Math.max(0, from[stream] - start);
    if (skipped < bytes.length) {
      yield { stream, bytes: Buffer.from(bytes).subarray(skipped), endsAt: position[stream] };
    }
  }
}

const cursorSchema = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);

/** Kept short: it is part of every checkpoint. */
export function cursorValue({ stdout, stderr }: LogOffsets): JsonValue {
  return [stdout, stderr];
}

export function parseCursor(value: JsonValue | undefined): LogOffsets | undefined {
  if (value === undefined) return undefined;
  const [stdout, stderr] = cursorSchema.parse(value);
  return { stdout, stderr };
}
