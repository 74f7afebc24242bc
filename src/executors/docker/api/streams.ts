import type { Duplex, Readable } from 'node:stream';
import { type DaemonEvent, daemonEventSchema } from './answers.ts';
import type { ContainerStream, EventStream, OutputFrames } from './docker-client.ts';
import { demultiplex, plainFrames, streamError } from './frames.ts';
import { jsonLines } from './json-lines.ts';

/** @param isRaw the process has a terminal: its output is not framed. */
export function outputFrames(source: Readable, isRaw: boolean): OutputFrames {
  return closable(source, () => (isRaw ? plainFrames(source) : demultiplex(source)));
}

/** Closing ends the loop; it does not fail it. */
function closable<T>(source: Readable, read: () => AsyncGenerator<T>): AsyncIterable<T> & { close(): void } {
  let isClosed = false;
  async function* untilClosed(): AsyncGenerator<T> {
    try {
      yield* read();
    } catch (error) {
      if (!isClosed) throw error;
    }
  }
  return {
    [Symbol.asyncIterator]: untilClosed,
    close: () => {
      isClosed = true;
      source.destroy();
    },
  };
}

export function containerStream(connection: Duplex, isRaw: boolean): ContainerStream {
  return {
    ...outputFrames(connection, isRaw),
    write: (bytes) =>
      new Promise((resolve, reject) => {
        connection.write(bytes, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(streamError(error));
        });
      }),
    endInput: () => void connection.end(),
  };
}

export function eventStream(source: Readable): EventStream {
  return closable(source, () => parseEvents(source));
}

async function* parseEvents(source: Readable): AsyncGenerator<DaemonEvent> {
  for await (const value of jsonLines(source)) {
    const parsed = daemonEventSchema.safeParse(value);
    if (parsed.success) yield parsed.data;
  }
}
