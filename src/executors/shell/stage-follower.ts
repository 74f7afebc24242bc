import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { watchFolder } from '../../platform/folder-watch.ts';
import { openSegments, type SegmentReader } from '../../platform/segment-files.ts';
import type { OutputStream, StageIo } from '../port.ts';
import { cursorValue, parseCursor } from './stage-records.ts';
import { stageFiles } from './supervisor-script.ts';

export interface FollowOptions {
  readonly io: StageIo;
  /** Resolves when nothing will write to the stage's folder any more. */
  readonly ended: Promise<void>;
  /** Called before each look at the folder, so at least once after every change of it. */
  readonly onChange: () => void;
}

/** Files whose changes say nothing about output or end. */
const quietFiles: ReadonlySet<string> = new Set([stageFiles.script]);

/** Pieces of one stream that are passed on before the other stream and other jobs get their turn. */
const piecesPerTurn = 4;

/**
 * Passes on a stage's output as it is written, from the journalled cursor on, until the stage has ended and all of it
 * was taken. Removes what lies before the durable cursor.
 * @throws what `io.write` throws.
 */
export async function followStage(options: FollowOptions): Promise<void> {
  const { io } = options;
  const changes = createLatch();
  const watch = watchFolder(io.directory, (name) => {
    if (name === undefined || !quietFiles.has(name)) changes.set();
  });
  const start = parseCursor(io.cursor);
  const readers = {
    stdout: openSegments(join(io.directory, 'stdout'), start.stdout),
    stderr: openSegments(join(io.directory, 'stderr'), start.stderr),
  };
  let hasEnded = false;
  void options.ended.then(() => {
    hasEnded = true;
    changes.set();
  });
  try {
    for (;;) {
      const isLastLook = hasEnded;
      options.onChange();
      await passOn(readers, io);
      if (isLastLook) return;
      await changes.wait();
    }
  } finally {
    watch.close();
    readers.stdout.close();
    readers.stderr.close();
  }
}

type Readers = Readonly<Record<OutputStream, SegmentReader>>;

async function passOn(readers: Readers, io: StageIo): Promise<void> {
  for (;;) {
    const hadErrors = await passOnStream('stderr', readers, io);
    const hadOutput = await passOnStream('stdout', readers, io);
    if (!hadErrors && !hadOutput) return;
    removeDurable(readers, io);
    if (hadErrors === 'more' || hadOutput === 'more') await setImmediate();
  }
}

async function passOnStream(stream: OutputStream, readers: Readers, io: StageIo): Promise<false | 'some' | 'more'> {
  for (let piece = 0; piece < piecesPerTurn; piece += 1) {
    const bytes = readers[stream].read();
    if (bytes === undefined) return piece > 0 && 'some';
    await io.write(stream, bytes, cursorValue({ stdout: readers.stdout.position, stderr: readers.stderr.position }));
  }
  return 'more';
}

function removeDurable(readers: Readers, io: StageIo): void {
  const durable = io.durableCursor?.();
  if (durable === undefined) return;
  const { stdout, stderr } = parseCursor(durable);
  readers.stdout.removeBefore(stdout);
  readers.stderr.removeBefore(stderr);
}

interface Latch {
  readonly set: () => void;
  /** Resolves once it was set after the last wait, and clears it. */
  readonly wait: () => Promise<void>;
}

function createLatch(): Latch {
  let isSet = false;
  let wake: (() => void) | undefined;
  return {
    set: () => {
      isSet = true;
      wake?.();
    },
    wait: async () => {
      if (!isSet) await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
      isSet = false;
    },
  };
}
