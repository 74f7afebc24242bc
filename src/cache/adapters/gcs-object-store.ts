import * as z from 'zod';
import { ConfigError, ExternalDependencyError } from '../../lib/errors.ts';
import { headerOf, readAnswerText } from '../../platform/http-answer.ts';
import type { HttpResponse } from '../../platform/http-client.ts';
import { ObjectChangedError } from '../object-errors.ts';
import type {
  ObjectBytes,
  ObjectContent,
  ObjectFacts,
  ObjectProperties,
  ObjectRequest,
  ObjectStore,
  ObjectStorePorts,
  PartUpload,
} from '../object-store.ts';
import { findGoogleIdentity, tokensOf } from './gcs-credentials.ts';
import { servicePorts } from './helper-ports.ts';
import { sendCall } from './object-call.ts';
import { s3ObjectName } from './object-names.ts';
import { encodeStrictly } from './sigv4.ts';
import { conditionHeaders, contentOf } from './store-answers.ts';
import { type RequestPurpose, refusal } from './store-request.ts';

const mebibyte = 1024 * 1024;

const hints = {
  401: 'check the credentials',
  403: 'check the rights of the account on the object',
  404: 'check the name of the bucket',
};

const objectSchema = z.object({
  size: z.coerce.number(),
  updated: z.string().default(''),
  etag: z.string().default(''),
  generation: z.string().default(''),
  metadata: z.record(z.string(), z.string()).optional(),
});

/** A bucket of Google Cloud Storage with credentials from the environment, through the JSON API. */
export async function openGcsStore(url: URL, ports: ObjectStorePorts, signal: AbortSignal): Promise<ObjectStore> {
  if (url.hostname === '') throw new ConfigError('the cache URL names no bucket');
  const services = servicePorts(ports);
  const emulator = ports.environment['STORAGE_EMULATOR_HOST'] ?? '';
  if (emulator !== '') {
    const origin = emulator.includes('://') ? emulator : `http://${emulator}`;
    return new GcsObjectStore(url.hostname, origin.replace(/\/+$/, ''), undefined, ports);
  }
  const universe = ports.environment['GOOGLE_CLOUD_UNIVERSE_DOMAIN'] || 'googleapis.com';
  const tokens = tokensOf(await findGoogleIdentity(services, signal), universe, services);
  return new GcsObjectStore(url.hostname, `https://storage.${universe}`, tokens, ports);
}

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ObjectBytes | string;
  readonly purpose: RequestPurpose;
}

class GcsObjectStore implements ObjectStore {
  /** Resumable uploads take their parts in order; each is a multiple of 256 KiB. */
  readonly parts = { fromBytes: 16 * mebibyte, unitBytes: 256 * 1024, mostParts: 1_000_000, mostAtOnce: 1 };
  readonly #bucket: string;
  readonly #origin: string;
  readonly #tokens: ((signal: AbortSignal) => Promise<string>) | undefined;
  readonly #ports: ObjectStorePorts;

  constructor(
    bucket: string,
    origin: string,
    tokens: ((signal: AbortSignal) => Promise<string>) | undefined,
    ports: ObjectStorePorts,
  ) {
    this.#bucket = bucket;
    this.#origin = origin;
    this.#tokens = tokens;
    this.#ports = ports;
  }

  async head(name: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    return (await this.#describe(name, signal))?.facts;
  }

  /** The answer to a download tells too little of the object: it is described first, and read in that generation. */
  async get(name: string, request: ObjectRequest, signal: AbortSignal): Promise<ObjectContent> {
    const purpose = { what: 'download the cache from Google Cloud Storage', hints };
    const known = await this.#describe(name, signal);
    if (request.ifMatch !== undefined && known !== undefined && known.facts.etag !== request.ifMatch) {
      throw new ObjectChangedError();
    }
    const headers = conditionHeaders(request.range === undefined ? {} : { range: request.range });
    const generation = known === undefined ? '' : `&generation=${known.generation}`;
    const response = await this.#send(
      { method: 'GET', url: `${this.#objectUrl(name)}?alt=media${generation}`, headers, purpose },
      signal,
    );
    const content = await contentOf(response, request, {}, purpose);
    return known === undefined ? content : { ...content, facts: known.facts };
  }

  async put(name: string, content: ObjectBytes, properties: ObjectProperties, signal: AbortSignal): Promise<void> {
    const upload = await this.startParts(name, properties, signal);
    await upload.putPart(1, content, signal);
    await upload.complete([String(content.sizeBytes)], signal);
  }

  async startParts(name: string, properties: ObjectProperties, signal: AbortSignal): Promise<PartUpload> {
    const purpose = { what: 'begin an upload of the cache to Google Cloud Storage', hints };
    const query = `uploadType=resumable&name=${encodeStrictly(s3ObjectName(name))}`;
    const headers = { 'Content-Type': 'application/json', 'X-Upload-Content-Type': properties.contentType };
    const body = JSON.stringify({ contentType: properties.contentType, metadata: properties.metadata });
    const url = `${this.#origin}/upload/storage/v1/b/${encodeStrictly(this.#bucket)}/o?${query}`;
    const response = await this.#send({ method: 'POST', url, headers, body, purpose }, signal);
    if (response.status < 200 || response.status > 299) throw await refusal(response, purpose);
    const session = headerOf(response, 'location');
    response.discard();
    if (URL.parse(session) === null) {
      throw new ExternalDependencyError(`cannot ${purpose.what}: the answer names no session`);
    }
    return this.#partsTo(session);
  }

  #partsTo(session: string): PartUpload {
    const starts: number[] = [];
    const sizes: number[] = [];
    return {
      putPart: async (number, content, signal) => {
        const start = number === 1 ? 0 : (starts[number - 2] ?? 0) + (sizes[number - 2] ?? 0);
        starts[number - 1] = start;
        sizes[number - 1] = content.sizeBytes;
        await this.#putRange(session, start, content, signal);
        return String(content.sizeBytes);
      },
      complete: async (receipts, signal) => {
        const total = receipts.reduce((sum, size) => sum + Number(size), 0);
        const purpose = { what: 'complete the upload of the cache to Google Cloud Storage', hints };
        const headers = { 'Content-Range': `bytes */${total}`, 'Content-Length': '0' };
        const response = await this.#send({ method: 'PUT', url: session, headers, purpose }, signal);
        if (response.status !== 200 && response.status !== 201) throw await refusal(response, purpose);
        await readAnswerText(response);
      },
      abort: async (signal) => {
        const purpose = { what: 'give up an upload to Google Cloud Storage', hints };
        (await this.#send({ method: 'DELETE', url: session, purpose }, signal)).discard();
      },
    };
  }

  async #putRange(session: string, start: number, content: ObjectBytes, signal: AbortSignal): Promise<void> {
    if (content.sizeBytes === 0) return;
    const purpose = { what: 'upload a part of the cache to Google Cloud Storage', hints };
    const headers = {
      'Content-Length': String(content.sizeBytes),
      'Content-Range': `bytes ${start}-${start + content.sizeBytes - 1}/*`,
    };
    const response = await this.#send({ method: 'PUT', url: session, headers, body: content, purpose }, signal);
    // "Resume incomplete": the part is there, more may come.
    if (response.status !== 308 && response.status > 299) throw await refusal(response, purpose);
    await readAnswerText(response);
  }

  async #describe(
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly facts: ObjectFacts; readonly generation: string } | undefined> {
    const purpose = { what: 'ask for the cache in Google Cloud Storage', hints };
    const response = await this.#send({ method: 'GET', url: this.#objectUrl(name), purpose }, signal);
    if (response.status === 404) {
      response.discard();
      return undefined;
    }
    if (response.status !== 200) throw await refusal(response, purpose);
    const parsed = parseObject(await readAnswerText(response));
    if (parsed === undefined) throw new ExternalDependencyError(`cannot ${purpose.what}: the answer cannot be read`);
    const { size, updated, etag, generation, metadata = {} } = parsed;
    const lowered = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value]));
    const modifiedMs = Date.parse(updated);
    const facts = {
      sizeBytes: size,
      modifiedMs: Number.isNaN(modifiedMs) ? 0 : modifiedMs,
      etag: generation === '' ? etag : `"${generation}"`,
      metadata: lowered,
    };
    return { facts, generation };
  }

  #objectUrl(name: string): string {
    return `${this.#origin}/storage/v1/b/${encodeStrictly(this.#bucket)}/o/${encodeStrictly(s3ObjectName(name))}`;
  }

  async #send(call: Call, signal: AbortSignal): Promise<HttpResponse> {
    const authorization = this.#tokens === undefined ? {} : { Authorization: `Bearer ${await this.#tokens(signal)}` };
    return await sendCall(
      this.#ports,
      {
        method: call.method,
        url: new URL(call.url),
        headers: { ...call.headers, ...authorization },
        body: call.body,
        purpose: call.purpose,
      },
      signal,
    );
  }
}

function parseObject(text: string): z.output<typeof objectSchema> | undefined {
  try {
    return objectSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
