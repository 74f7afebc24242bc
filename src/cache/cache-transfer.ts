import type { Logger } from '../observability/logger.ts';
import type { HttpClient } from '../platform/http-client.ts';

/** What moving a cache to or from its remote place needs (spec cache-artifacts.md §8, §9). */
export interface CacheTransfer {
  readonly http: HttpClient;
  readonly log: Logger;
  /** Of each request with its body. */
  readonly timeoutMs: number;
  /** Size of the pieces that are moved at the same time. */
  readonly chunkBytes: number;
  /** 1 = one after the other. */
  readonly concurrency: number;
  /** Bytes gathered in memory before they are written, all pieces together. */
  readonly bufferBytes: number;
  /** Told of the bytes as they pass; the total where it is known. */
  readonly progress: (label: 'Downloading cache' | 'Uploading cache', totalBytes: number | undefined) => ProgressSink;
}

export interface ProgressSink {
  add(bytes: number): void;
  end(): void;
}

/** An operation that is tried several times and keeps what earlier tries reached. */
export interface RepeatedTransfer {
  /** @throws ExternalDependencyError, `retryable` where another try may help; StorageError; the signal's reason. */
  attempt(signal: AbortSignal): Promise<void>;
  /** Gives up what is only half done. Idempotent. */
  close(signal: AbortSignal): Promise<void>;
}
