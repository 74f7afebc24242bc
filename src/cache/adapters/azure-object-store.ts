import { createHmac } from 'node:crypto';
import { ConfigError } from '../../lib/errors.ts';
import { readAnswerText } from '../../platform/http-answer.ts';
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
import { type AzureAccess, readAzureAccess } from './azure-access.ts';
import { azureTokens } from './azure-identity.ts';
import { azureVersion } from './azure-sas.ts';
import { sharedKeyText } from './azure-shared-key.ts';
import { servicePorts } from './helper-ports.ts';
import { headFacts, sendCall } from './object-call.ts';
import { azureBlobName, azureMetadataKey, decodeText, encodePathSegment, readHexForms } from './object-names.ts';
import { encodePath } from './sigv4.ts';
import { conditionHeaders, contentOf, type Metadata } from './store-answers.ts';
import { type RequestPurpose, refusal } from './store-request.ts';

const mebibyte = 1024 * 1024;

const credentialHint = 'check the key or token of the account, its rights on the blob, and this machine’s clock';

const hints = {
  400: credentialHint,
  401: credentialHint,
  403: credentialHint,
  404: 'check the names of account and container',
};

/** A container of Azure Blob Storage with credentials from the environment (spec cache-artifacts.md §11.3). */
export async function openAzureStore(url: URL, ports: ObjectStorePorts): Promise<ObjectStore> {
  const access = readAzureAccess(ports.environment);
  if (url.hostname === '') throw new ConfigError('the cache URL names no container');
  const tokens = azureTokens(servicePorts(ports));
  return await Promise.resolve(new AzureObjectStore(url.hostname, access, tokens, ports));
}

interface Call {
  readonly method: string;
  readonly name: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ObjectBytes | string;
  readonly purpose: RequestPurpose;
}

class AzureObjectStore implements ObjectStore {
  readonly parts = { fromBytes: 16 * mebibyte, unitBytes: 1, mostParts: 50_000, mostAtOnce: 64 };
  readonly #container: string;
  readonly #access: AzureAccess;
  readonly #tokens: (signal: AbortSignal) => Promise<string>;
  readonly #ports: ObjectStorePorts;

  constructor(
    container: string,
    access: AzureAccess,
    tokens: (signal: AbortSignal) => Promise<string>,
    ports: ObjectStorePorts,
  ) {
    this.#container = container;
    this.#access = access;
    this.#tokens = tokens;
    this.#ports = ports;
  }

  async head(name: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    const purpose = { what: 'ask for the cache in Azure', hints };
    const response = await this.#send({ method: 'HEAD', name, purpose }, signal);
    return await headFacts(response, metadataOf(response), purpose);
  }

  async get(name: string, request: ObjectRequest, signal: AbortSignal): Promise<ObjectContent> {
    const purpose = { what: 'download the cache from Azure', hints };
    const response = await this.#send({ method: 'GET', name, headers: conditionHeaders(request), purpose }, signal);
    return await contentOf(response, request, metadataOf(response), purpose);
  }

  async put(name: string, content: ObjectBytes, properties: ObjectProperties, signal: AbortSignal): Promise<void> {
    const headers = {
      'x-ms-blob-type': 'BlockBlob',
      'Content-Type': properties.contentType,
      'Content-Length': String(content.sizeBytes),
      ...metadataHeaders(properties.metadata),
    };
    const purpose = { what: 'upload the cache to Azure', hints };
    await this.#succeed({ method: 'PUT', name, headers, body: content, purpose }, signal);
  }

  async startParts(name: string, properties: ObjectProperties, _signal: AbortSignal): Promise<PartUpload> {
    // Blocks of two uploads at the same time must not be mixed.
    const upload = servicePorts(this.#ports).randomHex(8);
    return await Promise.resolve({
      putPart: async (number, content, signal) => {
        const blockid = Buffer.from(`${upload}-${String(number).padStart(6, '0')}`).toString('base64');
        const purpose = { what: `upload block ${number} of the cache to Azure`, hints };
        const headers = { 'Content-Length': String(content.sizeBytes) };
        const query = { comp: 'block', blockid };
        await this.#succeed({ method: 'PUT', name, query, headers, body: content, purpose }, signal);
        return blockid;
      },
      complete: async (receipts, signal) => {
        const list = receipts.map((id) => `<Latest>${id}</Latest>`).join('');
        const headers = {
          'Content-Type': 'application/xml',
          'x-ms-blob-content-type': properties.contentType,
          ...metadataHeaders(properties.metadata),
        };
        const body = `<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`;
        const purpose = { what: 'complete the upload of the cache to Azure', hints };
        await this.#succeed({ method: 'PUT', name, query: { comp: 'blocklist' }, headers, body, purpose }, signal);
      },
      // Blocks that no list names are dropped by the service after a week.
      abort: async () => await Promise.resolve(),
    });
  }

  async #succeed(call: Call, signal: AbortSignal): Promise<void> {
    const response = await this.#send(call, signal);
    if (response.status < 200 || response.status > 299) throw await refusal(response, call.purpose);
    await readAnswerText(response);
  }

  async #send(call: Call, signal: AbortSignal): Promise<HttpResponse> {
    const url = new URL(this.#access.serviceUrl);
    const folder = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
    url.pathname = `${folder}${encodePath(this.#container)}/${encodePath(azureBlobName(call.name))}`;
    url.search = new URLSearchParams(call.query ?? {}).toString();
    const headers = {
      ...call.headers,
      'x-ms-version': azureVersion,
      'x-ms-date': new Date(this.#ports.now()).toUTCString(),
    };
    const authorization = await this.#authorization(call, url, headers, signal);
    if (this.#access.kind === 'sas') url.search += `${url.search === '' ? '?' : '&'}${this.#access.token}`;
    return await sendCall(
      this.#ports,
      { method: call.method, url, headers: { ...headers, ...authorization }, body: call.body, purpose: call.purpose },
      signal,
    );
  }

  async #authorization(
    { method, body }: Call,
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> {
    const access = this.#access;
    if (access.kind === 'sas') return {};
    if (access.kind === 'identity') return { Authorization: `Bearer ${await this.#tokens(signal)}` };
    const length = typeof body === 'string' ? Buffer.byteLength(body) : (body?.sizeBytes ?? 0);
    const text = sharedKeyText({ method, url, headers, length }, access.account);
    const signature = createHmac('sha256', Buffer.from(access.key, 'base64')).update(text, 'utf8').digest('base64');
    return { Authorization: `SharedKey ${access.account}:${signature}` };
  }
}

function metadataHeaders(metadata: Metadata): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [`x-ms-meta-${azureMetadataKey(key)}`, encodePathSegment(value)]),
  );
}

function metadataOf(response: HttpResponse): Metadata {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    const key = /^x-ms-meta-(.+)$/.exec(name)?.[1];
    if (key !== undefined && value !== undefined) {
      metadata[readHexForms(key)] = decodeText([value].flat().join(', '));
    }
  }
  return metadata;
}
