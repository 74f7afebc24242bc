import { AbortReason } from '../lib/abort.ts';
import { errorMessage } from '../lib/errors.ts';
import { shortToken } from '../lib/short-token.ts';
import type { LogFields, Logger } from '../observability/logger.ts';
import { headerOf, parseXmlError, readAnswerText, statusLine } from '../platform/http-answer.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-client.ts';
import { randomHex } from '../platform/random.ts';
import type { JobCredentials, TransferHttp } from './http-port.ts';

export interface ArtifactDownload {
  readonly credentials: JobCredentials;
  /** Asks where the archive lies, and gets it from there. */
  readonly isDirect: boolean;
  /** Gets the archive's bytes; called anew for each body that is tried. */
  readonly openSink: () => Promise<(piece: Buffer) => Promise<void>>;
}

export type DownloadState = 'succeeded' | 'unauthorized' | 'forbidden' | 'not_found' | 'failed';

const text = 'Downloading artifacts from coordinator...';

/** One try of a download (spec cache-artifacts.md §5). @throws only the signal's reason. */
export async function downloadArtifacts(
  download: ArtifactDownload,
  http: TransferHttp,
  log: Logger,
  signal: AbortSignal,
): Promise<DownloadState> {
  const requestId = randomHex(16);
  const { jobId, token } = download.credentials;
  const fields: LogFields = { id: jobId, token: shortToken(token), correlation_id: requestId };
  const jobLog = log.child(fields);
  try {
    const response = await request(download, requestId, http, jobLog, signal);
    const answered = log.child({
      ...fields,
      correlation_id: headerOf(response, 'x-request-id') || requestId,
      host: response.url.host,
      status: statusLine(response),
    });
    return await judge(response, download, http, answered);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    jobLog.error(`${text} error`, { error: errorMessage(error) });
    return 'failed';
  }
}

async function request(
  download: ArtifactDownload,
  requestId: string,
  http: TransferHttp,
  log: Logger,
  signal: AbortSignal,
): Promise<HttpResponse> {
  if (!download.isDirect) return await http.send(apiRequest(download, requestId, ''), signal);
  const query = '?direct_download=true';
  const first = await http.sendOnce({ ...apiRequest(download, requestId, query), redirect: 'manual' }, signal);
  const location = headerOf(first, 'location');
  const target = URL.parse(location, first.url.href);
  if ((first.status !== 302 && first.status !== 307) || location === '' || target === null) return first;
  first.discard();
  log.info(`Direct download from ${target.host}`);
  const direct = await tryDirect(target, download, http, log, signal);
  return direct ?? (await http.send(apiRequest(download, requestId, query), signal));
}

/** The archive from where it lies. The job's token stays with the coordinator. */
async function tryDirect(
  target: URL,
  { credentials }: ArtifactDownload,
  http: TransferHttp,
  log: Logger,
  signal: AbortSignal,
): Promise<HttpResponse | undefined> {
  const isSameSite = target.origin === credentials.apiUrl.origin;
  const headers = {
    'User-Agent': credentials.userAgent,
    'Accept-Encoding': 'identity',
    ...(isSameSite ? { 'JOB-TOKEN': credentials.token } : {}),
  };
  try {
    const response = await http.sendOnce({ method: 'GET', url: target, headers }, signal);
    if (response.status === 200) return response;
    log.debug('Direct download was refused', { status: statusLine(response) });
    response.discard();
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    log.debug('Direct download failed', { error: errorMessage(error) });
  }
  return undefined;
}

function apiRequest({ credentials }: ArtifactDownload, requestId: string, query: string): HttpRequest {
  return {
    method: 'GET',
    url: new URL(`jobs/${credentials.jobId}/artifacts${query}`, credentials.apiUrl),
    headers: {
      'User-Agent': credentials.userAgent,
      'X-Request-Id': requestId,
      'JOB-TOKEN': credentials.token,
      'Accept-Encoding': 'identity',
    },
  };
}

async function judge(
  response: HttpResponse,
  download: ArtifactDownload,
  http: TransferHttp,
  log: Logger,
): Promise<DownloadState> {
  if (response.status === 200) {
    const write = await download.openSink();
    for await (const piece of response.body as AsyncIterable<Buffer>) await write(piece);
    log.info(`${text} ok`);
    return 'succeeded';
  }
  const body = await readAnswerText(response);
  switch (response.status) {
    case 401:
      log.error(`${text} unauthorized`);
      return 'unauthorized';
    case 403:
      log.error(`${text} forbidden`, { status: forbiddenText(response, body, http) });
      return 'forbidden';
    case 404:
      log.error(`${text} not found`);
      return 'not_found';
    default:
      log.warn(`${text} failed`);
      return 'failed';
  }
}

/** An object store explains itself in XML, the coordinator in JSON. */
function forbiddenText(response: HttpResponse, body: string, http: TransferHttp): string {
  const contentType = headerOf(response, 'content-type');
  const xml = parseXmlError(contentType, body);
  if (xml !== undefined) return `${statusLine(response)} (${xml.code}: ${xml.message})`;
  return http.describe({ method: 'GET', url: response.url, status: response.status, contentType, body });
}
