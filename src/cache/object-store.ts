import type { Logger } from '../observability/logger.ts';
import type { HttpClient } from '../platform/http-client.ts';

/**
 * One bucket or container as a helper command uses it with the job's own credentials (spec cache-artifacts.md §8.4,
 * §9.4). Object names and metadata are given as they are meant; the store escapes them as its service needs it, the
 * way the Go runner does, so that both read each other's objects. Calls may run at the same time.
 *
 * Nothing is repeated here: the caller does. Every method throws ExternalDependencyError, `retryable` where the
 * transport failed or the service cannot serve now (5xx, 429, 408), and the signal's reason.
 */
export interface ObjectStore {
  /** Facts of an object without its content; undefined = it is not there. */
  head(name: string, signal: AbortSignal): Promise<ObjectFacts | undefined>;
  /**
   * The content of an object or of a part of it. Resolves when the answer's headers have come; the body has to be read
   * to its end or discarded.
   * @throws ObjectChangedError where the object is not the one of `ifMatch` any more; ObjectNotFoundError where it is
   * gone; an error that is not retryable where the service sends another part than the one asked for.
   */
  get(name: string, request: ObjectRequest, signal: AbortSignal): Promise<ObjectContent>;
  /** Stores an object in one request, in place of what is there; readers see the old one or the whole new one. */
  put(name: string, content: ObjectBytes, properties: ObjectProperties, signal: AbortSignal): Promise<void>;
  /** How objects are stored in parts; undefined = only whole. */
  readonly parts: PartRules | undefined;
  /** Begins storing an object in parts; nothing is visible before `complete`. @throws where `parts` is undefined. */
  startParts(name: string, properties: ObjectProperties, signal: AbortSignal): Promise<PartUpload>;
}

export interface PartRules {
  /** An object smaller than this is stored whole. */
  readonly fromBytes: number;
  /** Smallest part but for the last; sizes are multiples of it. */
  readonly unitBytes: number;
  readonly mostParts: number;
  /** How many parts may be sent at the same time; 1 = only one after the other, in order. */
  readonly mostAtOnce: number;
}

/** One object in the making. */
export interface PartUpload {
  /** @param number from 1. May be called again for a part that failed. @returns what `complete` wants to know of it. */
  putPart(number: number, content: ObjectBytes, signal: AbortSignal): Promise<string>;
  /** @param receipts of all parts, in order. */
  complete(receipts: readonly string[], signal: AbortSignal): Promise<void>;
  /** Gives up what was sent. Never throws for "already gone". */
  abort(signal: AbortSignal): Promise<void>;
}

export interface ObjectFacts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** As the service writes it, quotes included; empty where it has none. */
  readonly etag: string;
  /** Keys in lower case, unescaped. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ObjectRequest {
  /** Bytes from `start` to before `end`; absent = all. */
  readonly range?: { readonly start: number; readonly end: number };
  /** Only the object with this entity tag. */
  readonly ifMatch?: string;
}

export interface ObjectContent {
  /** Of the whole object, whatever part was asked for. */
  readonly facts: ObjectFacts;
  readonly body: AsyncIterable<Buffer>;
  discard(): void;
}

/** Bytes to send; can be read again when a request is repeated. */
export interface ObjectBytes {
  readonly sizeBytes: number;
  read(): AsyncIterable<Buffer>;
}

export interface ObjectProperties {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a store gets to work with. */
export interface ObjectStorePorts {
  /** Follows no rules of its own beyond redirects; honours proxies and the system's certificates. */
  readonly http: HttpClient;
  readonly log: Logger;
  /** The job's environment with the variables of the env-file on top: the credentials. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Wall clock in milliseconds, for signatures. */
  readonly now: () => number;
  /** Of one request with its body. */
  readonly timeoutMs: number;
}

/**
 * Opens the store of a URL like `s3://bucket/name?region=…`; the path is the object's name and none of its business.
 * @throws ConfigError for a URL or an environment that says too little.
 */
export type OpenObjectStore = (url: URL, ports: ObjectStorePorts, signal: AbortSignal) => Promise<ObjectStore>;
