import * as z from 'zod';
import type { Clock } from '../lib/clock.ts';
import { StorageError } from '../lib/errors.ts';
import { sectionEndMark, sectionStartMark, sectionTitle } from './line-forms.ts';
import { createTraceLog, ManagerLines } from './manager-lines.ts';
import { Masking, type MaskingRules } from './masking/masking.ts';
import type { JobTrace, StageTrace, TraceLog, TraceSnapshot } from './port.ts';
import { StageStreams, stageStreamsStateSchema } from './stage-streams.ts';
import type { StreamRecipe } from './stream-chain.ts';
import { timestamperStateSchema } from './timestamper.ts';
import { TraceFile } from './trace-file.ts';
import { TraceStore } from './trace-store.ts';

export interface JobTraceOptions {
  /** File for the stored bytes; made new, or taken up by `restoreJobTrace`. */
  readonly path: string;
  readonly masking: MaskingRules;
  /** Whether the server wants section markers. */
  readonly sections: boolean;
  readonly timestamps: boolean;
  /** 0 = 4 MiB. */
  readonly outputLimitBytes: number;
  /** `ScriptOptions.outputMark`; empty = scripts write no marks. */
  readonly outputMark: string;
  readonly clock: Clock;
  /**
   * The file cannot be written any more (disk full): called once, maybe inside a call of the trace. From then on only
   * a few lines of the manager are kept, in memory, and no method throws for it.
   */
  readonly onStorageError: (error: StorageError) => void;
}

const layersSchema = z.object({
  crc: z.number().int(),
  isLimitReached: z.boolean(),
  isEnded: z.boolean(),
  manager: timestamperStateSchema.nullable(),
  stage: stageStreamsStateSchema.nullable(),
});
type LayersState = z.output<typeof layersSchema>;

/**
 * An empty trace.
 * @throws StorageError when the file cannot be made.
 */
export async function createJobTrace(options: JobTraceOptions): Promise<JobTrace> {
  const file = await TraceFile.open(options.path, options.onStorageError);
  return new FileJobTrace(options, file);
}

/**
 * The trace that a snapshot was taken of; `options` must say the same as then. The file is cut to the snapshot. The
 * first `snapshot.managerWrites` log lines and section marks are ignored: the owner repeats what it did. The first
 * `openStage` goes on with the stage that was open in the snapshot, if there was one.
 * @throws StorageError when the file is missing or too short, or the snapshot is damaged.
 */
export async function restoreJobTrace(options: JobTraceOptions, snapshot: TraceSnapshot): Promise<JobTrace> {
  const layers = layersSchema.safeParse(snapshot.layers);
  if (!layers.success) {
    throw new StorageError(`the recorded state of trace ${options.path} is damaged`, { cause: layers.error });
  }
  const state = { storedBytes: snapshot.storedBytes, crc: layers.data.crc };
  const file = await TraceFile.open(options.path, options.onStorageError, state);
  return new FileJobTrace(options, file, { layers: layers.data, managerWrites: snapshot.managerWrites });
}

class FileJobTrace implements JobTrace {
  readonly log: TraceLog;
  readonly #options: JobTraceOptions;
  readonly #recipe: StreamRecipe;
  readonly #store: TraceStore;
  readonly #manager: ManagerLines;
  /** Manager writes that a snapshot already holds. */
  #coveredWrites: number;
  #managerWrites = 0;
  readonly #isRestored: boolean;
  #stage: StageStreams | undefined;
  /** Whether the stage was open in the snapshot and nobody has asked for it since. */
  #stageAwaitsOpening = false;
  #isEnded: boolean;

  constructor(
    options: JobTraceOptions,
    file: TraceFile,
    restored?: { readonly layers: LayersState; readonly managerWrites: number },
  ) {
    const layers = restored?.layers;
    this.#options = options;
    this.#recipe = {
      masking: new Masking(options.masking),
      timestampClock: options.timestamps ? options.clock : undefined,
    };
    this.#store = new TraceStore(file, options.outputLimitBytes, layers?.isLimitReached ?? false);
    this.#manager = new ManagerLines(this.#recipe, layers?.manager ?? undefined);
    this.#isRestored = restored !== undefined;
    this.#coveredWrites = restored?.managerWrites ?? 0;
    this.#isEnded = layers?.isEnded ?? false;
    if (this.#isEnded) this.#store.end();
    const openStage = layers?.stage ?? undefined;
    if (openStage !== undefined) {
      this.#stage = this.#newStage(openStage);
      this.#stageAwaitsOpening = true;
    }
    this.log = createTraceLog((text) => this.#writeLines([text]));
  }

  startSection(id: string, title: string): void {
    const mark = sectionStartMark(id, this.#options.clock.now());
    this.#writeLines(this.#options.sections ? [mark, sectionTitle(title)] : [sectionTitle(title)]);
  }

  endSection(id: string): void {
    const mark = sectionEndMark(id, this.#options.clock.now());
    this.#writeLines(this.#options.sections ? [mark] : []);
  }

  openStage(): StageTrace {
    if (this.#stage !== undefined && this.#stageAwaitsOpening) {
      this.#stageAwaitsOpening = false;
      return this.#stage;
    }
    if (this.#stage !== undefined) throw new Error('a stage of this trace is open already');
    const stage = this.#newStage();
    if (this.#isEnded) stage.close();
    else this.#stage = stage;
    return stage;
  }

  snapshot(): TraceSnapshot {
    const stage = this.#stage?.snapshot() ?? null;
    const { file } = this.#store;
    file.flush();
    return {
      storedBytes: file.durable.storedBytes,
      managerWrites: Math.max(this.#managerWrites, this.#coveredWrites),
      layers: {
        crc: file.durable.crc,
        isLimitReached: this.#store.isLimitReached,
        isEnded: this.#isEnded,
        manager: this.#manager.snapshot(),
        stage,
      },
    };
  }

  skipReplayedWrites(count: number): void {
    if (!this.#isRestored) return;
    this.#managerWrites = count;
    this.#coveredWrites = Math.max(this.#coveredWrites, count);
  }

  get storedBytes(): number {
    return this.#store.file.storedBytes;
  }

  get checksum(): string {
    return `crc32:${this.#store.file.crc.toString(16).padStart(8, '0')}`;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return this.#store.file.read(offset, length);
  }

  end(): void {
    if (this.#isEnded) return;
    this.#stage?.close();
    this.#store.storeLines(this.#manager.flush());
    this.#store.end();
    this.#isEnded = true;
  }

  async close(): Promise<void> {
    this.#stage?.close();
    await this.#store.file.close();
  }

  #newStage(state?: z.output<typeof stageStreamsStateSchema>): StageStreams {
    const onClosed = (): void => {
      this.#stage = undefined;
    };
    const { outputMark, clock } = this.#options;
    return new StageStreams({ recipe: this.#recipe, outputMark, store: this.#store, clock, onClosed }, state);
  }

  /** One manager write; its parts are writes of their own for line headers. */
  #writeLines(parts: readonly string[]): void {
    this.#managerWrites++;
    if (this.#managerWrites <= this.#coveredWrites) return;
    this.#stage?.drain();
    if (this.#store.isDroppingLines) return;
    for (const part of parts) this.#store.storeLines(this.#manager.write(part));
  }
}
