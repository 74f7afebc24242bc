import { ConfigError, ExternalDependencyError } from '../../lib/errors.ts';
import { headerOf, readAnswerText } from '../../platform/http-answer.ts';
import type { HttpResponse } from '../../platform/http-client.ts';
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
import { findAwsCredentials, keepCredentials } from './aws-credentials.ts';
import { servicePorts } from './helper-ports.ts';
import { headFacts, sendCall } from './object-call.ts';
import { decodeText, readHexForms, s3Metadata, s3ObjectName } from './object-names.ts';
import { encryptionHeaders } from './s3-encryption.ts';
import { objectUrl } from './s3-endpoint.ts';
import { parseS3ObjectUrl, type S3UrlFacts } from './s3-object-url.ts';
import { defaultRegion } from './s3-region.ts';
import { type AwsCredentials, emptyPayloadHash, signHeaders, unsignedPayload } from './sigv4.ts';
import { conditionHeaders, contentOf, type Metadata } from './store-answers.ts';
import { type RequestPurpose, refusal } from './store-request.ts';

const mebibyte = 1024 * 1024;

const hints = {
  403:
    'check the credentials, their rights on the object and this machine’s clock ' +
    '(S3 also answers so for an object that does not exist, where s3:ListBucket is not allowed)',
  404: 'check the name of the bucket',
};

/** A bucket of S3, or of a service that speaks like it, with credentials from the environment (spec §8.4, §9.4). */
export async function openS3Store(url: URL, ports: ObjectStorePorts, signal: AbortSignal): Promise<ObjectStore> {
  const facts = parseS3ObjectUrl(url);
  if (facts.address.bucket === '') throw new ConfigError('the cache URL names no bucket');
  const { environment } = ports;
  const region = facts.region || environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'] || defaultRegion;
  const credentials = keepCredentials((asking) => findAwsCredentials(region, servicePorts(ports), asking), ports.now);
  await credentials(signal);
  return new S3ObjectStore({ ...facts, region }, credentials, ports);
}

interface Call {
  readonly method: string;
  readonly name: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ObjectBytes | string;
  readonly purpose: RequestPurpose;
}

class S3ObjectStore implements ObjectStore {
  readonly parts = { fromBytes: 16 * mebibyte, unitBytes: 5 * mebibyte, mostParts: 10_000, mostAtOnce: 64 };
  readonly #facts: S3UrlFacts;
  readonly #credentials: (signal: AbortSignal) => Promise<AwsCredentials>;
  readonly #ports: ObjectStorePorts;

  constructor(
    facts: S3UrlFacts,
    credentials: (signal: AbortSignal) => Promise<AwsCredentials>,
    ports: ObjectStorePorts,
  ) {
    this.#facts = facts;
    this.#credentials = credentials;
    this.#ports = ports;
  }

  async head(name: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    const purpose = { what: 'ask for the cache in S3', hints };
    const response = await this.#send({ method: 'HEAD', name, purpose }, signal);
    return await headFacts(response, metadataOf(response), purpose);
  }

  async get(name: string, request: ObjectRequest, signal: AbortSignal): Promise<ObjectContent> {
    const purpose = { what: 'download the cache from S3', hints };
    const headers = conditionHeaders(request);
    const response = await this.#send({ method: 'GET', name, headers, purpose }, signal);
    return await contentOf(response, request, metadataOf(response), purpose);
  }

  async put(name: string, content: ObjectBytes, properties: ObjectProperties, signal: AbortSignal): Promise<void> {
    const headers = { ...this.#objectHeaders(properties), 'content-length': String(content.sizeBytes) };
    const purpose = { what: 'upload the cache to S3', hints };
    await this.#answer({ method: 'PUT', name, headers, body: content, purpose }, signal);
  }

  async startParts(name: string, properties: ObjectProperties, signal: AbortSignal): Promise<PartUpload> {
    const purpose = { what: 'begin an upload of the cache in parts to S3', hints };
    const headers = this.#objectHeaders(properties);
    const { text } = await this.#answer({ method: 'POST', name, query: { uploads: '' }, headers, purpose }, signal);
    const uploadId = unescapeXml(/<UploadId>([^<]*)<\/UploadId>/.exec(text)?.[1] ?? '');
    if (uploadId === '') throw new ExternalDependencyError(`cannot ${purpose.what}: the answer names no upload`);
    return {
      putPart: (number, content, partSignal) => this.#putPart(name, uploadId, number, content, partSignal),
      complete: (receipts, endSignal) => this.#complete(name, uploadId, receipts, endSignal),
      abort: async (endSignal) => {
        const gone = { what: 'give up an upload in parts to S3', hints };
        const response = await this.#send({ method: 'DELETE', name, query: { uploadId }, purpose: gone }, endSignal);
        if (response.status !== 404 && response.status > 299) throw await refusal(response, gone);
        response.discard();
      },
    };
  }

  async #putPart(
    name: string,
    uploadId: string,
    number: number,
    content: ObjectBytes,
    signal: AbortSignal,
  ): Promise<string> {
    const purpose = { what: `upload part ${number} of the cache to S3`, hints };
    const query = { partNumber: String(number), uploadId };
    const headers = { 'content-length': String(content.sizeBytes) };
    const { response } = await this.#answer({ method: 'PUT', name, query, headers, body: content, purpose }, signal);
    const etag = headerOf(response, 'etag');
    if (etag === '') throw new ExternalDependencyError(`cannot ${purpose.what}: the answer has no ETag`);
    return etag;
  }

  async #complete(name: string, uploadId: string, receipts: readonly string[], signal: AbortSignal): Promise<void> {
    const purpose = { what: 'complete the upload of the cache to S3', hints };
    const parts = receipts.map(
      (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`;
    const headers = { 'content-type': 'application/xml' };
    const { text } = await this.#answer({ method: 'POST', name, query: { uploadId }, headers, body, purpose }, signal);
    // S3 begins its answer before it knows how it ends.
    const code = /<Error>[^]*?<Code>([^<]*)<\/Code>/.exec(text)?.[1];
    if (code !== undefined) {
      throw new ExternalDependencyError(`cannot ${purpose.what}: ${code}`, { retryable: code === 'InternalError' });
    }
  }

  #objectHeaders({ contentType, metadata }: ObjectProperties): Record<string, string> {
    const own = Object.entries(metadata).map(([key, value]) => [
      `x-amz-meta-${s3Metadata(key, true).toLowerCase()}`,
      s3Metadata(value, false),
    ]);
    return {
      'content-type': contentType,
      ...(Object.fromEntries(own) as Record<string, string>),
      ...encryptionHeaders(this.#facts.encryption),
    };
  }

  async #answer(call: Call, signal: AbortSignal): Promise<{ readonly response: HttpResponse; readonly text: string }> {
    const response = await this.#send(call, signal);
    if (response.status < 200 || response.status > 299) throw await refusal(response, call.purpose);
    return { response, text: await readAnswerText(response) };
  }

  async #send(call: Call, signal: AbortSignal): Promise<HttpResponse> {
    const { address, region } = this.#facts;
    const url = objectUrl(address, region, s3ObjectName(call.name));
    url.search = new URLSearchParams(call.query ?? {}).toString();
    const credentials = await this.#credentials(signal);
    const context = { credentials, region, service: 's3', nowMs: this.#ports.now() };
    const payload = call.body === undefined ? emptyPayloadHash : unsignedPayload;
    // The transport sets its own length for what it is given whole.
    const headers = signHeaders({ method: call.method, url, headers: call.headers ?? {} }, payload, context);
    return await sendCall(
      this.#ports,
      { method: call.method, url, headers, body: call.body, purpose: call.purpose },
      signal,
    );
  }
}

function metadataOf(response: HttpResponse): Metadata {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    const key = /^x-amz-meta-(.+)$/.exec(name)?.[1];
    if (key !== undefined && value !== undefined) {
      metadata[decodeText(readHexForms(key))] = decodeText([value].flat().join(', '));
    }
  }
  return metadata;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function unescapeXml(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
