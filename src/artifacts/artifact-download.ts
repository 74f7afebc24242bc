import { AbortReason } from '../lib/abort.ts';
import { errorMessage } from '../lib/errors.ts';
import { shortToken } from '../lib/short-token.ts';
import type { LogFields, Logger } from '../observability/logger.ts';
import { headerOf, statusLine } from '../platform/http-answer.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-client.ts';
import { randomHex } from '../platform/random.ts';
import { type OpenRemote, partHeaders, remoteBytes, type WantedPart } from '../transfer/remote-bytes.ts';
import { RemoteChangedError, type RemoteDownload } from '../transfer/remote-download.ts';
import { fetchDirectly } from './direct-download.ts';
import { type DownloadState, RefusedDownload, refusal } from './download-refusal.ts';
import { downloadText } from './download-text.ts';
import type { JobCredentials, TransferHttp } from './http-port.ts';

export interface ArtifactDownload {
  readonly credentials: JobCredentials;
  /** Asks where the archive lies, and gets it from there. */
  readonly isDirect: boolean;
  /** Gets it from there in pieces at the same time, where it is large. */
  readonly isParallel: boolean;
  /** Where the bytes go; keeps what earlier tries brought. */
  readonly bytes: RemoteDownload;
}

/** One try of a download (spec cache-artifacts.md §5). @throws only the signal's reason. */
export async function downloadArtifacts(
  download: ArtifactDownload,
  http: TransferHttp,
  log: Logger,
  signal: AbortSignal,
): Promise<DownloadState> {
  const exchange = new DownloadExchange(download, http, log);
  try {
    await exchange.run(signal);
    exchange.log.info(`${downloadText} ok`);
    return 'succeeded';
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    if (error instanceof RefusedDownload) return error.state;
    exchange.log.error(`${downloadText} error`, { error: errorMessage(error) });
    return 'failed';
  }
}

/** The requests of one try, told apart from others by their id. */
class DownloadExchange {
  /** With what is known of the newest answer. */
  log: Logger;
  readonly #download: ArtifactDownload;
  readonly #http: TransferHttp;
  readonly #plainLog: Logger;
  readonly #requestId = randomHex(16);

  constructor(download: ArtifactDownload, http: TransferHttp, log: Logger) {
    this.#download = download;
    this.#http = http;
    this.#plainLog = log;
    this.log = log.child(this.#fields());
  }

  async run(signal: AbortSignal): Promise<void> {
    if (await this.#resume(signal)) return;
    if (this.#download.isDirect) await this.#direct(signal);
    else await this.#plain('', signal);
  }

  /** @returns whether what an earlier try brought was of use. */
  async #resume(signal: AbortSignal): Promise<boolean> {
    const { bytes } = this.#download;
    if (!bytes.canResume) return false;
    try {
      await bytes.resume(this.#openApi(''), signal, 1);
      return true;
    } catch (error) {
      if (error instanceof RemoteChangedError) return false;
      throw error;
    }
  }

  async #plain(query: string, signal: AbortSignal): Promise<void> {
    const open = this.#openApi(query);
    await this.#download.bytes.begin(await open(undefined, signal), open, signal);
  }

  async #direct(signal: AbortSignal): Promise<void> {
    const query = '?direct_download=true';
    const first = await this.#http.sendOnce({ ...this.#apiRequest(query), redirect: 'manual' }, signal);
    const location = headerOf(first, 'location');
    const target = URL.parse(location, first.url.href);
    if ((first.status !== 302 && first.status !== 307) || location === '' || target === null) {
      const answer = await this.#accept(first);
      await this.#download.bytes.begin(answer, this.#openApi(query), signal);
      return;
    }
    first.discard();
    this.log.info(`Direct download from ${target.host}`);
    const place = {
      url: target,
      headers: this.#placeHeaders(target),
      accept: (response: HttpResponse) => this.#note(response),
    };
    if (!(await fetchDirectly(place, this.#download, this.#http, this.log, signal))) await this.#plain(query, signal);
  }

  /** The job's token stays with the coordinator. */
  #placeHeaders(target: URL): Readonly<Record<string, string>> {
    const { credentials } = this.#download;
    const isSameSite = target.origin === credentials.apiUrl.origin;
    return {
      'User-Agent': credentials.userAgent,
      'Accept-Encoding': 'identity',
      ...(isSameSite ? { 'JOB-TOKEN': credentials.token } : {}),
    };
  }

  #openApi(query: string): OpenRemote {
    return async (wanted, signal) => this.#accept(await this.#http.send(this.#apiRequest(query, wanted), signal));
  }

  #apiRequest(query: string, wanted?: WantedPart): HttpRequest {
    const { credentials } = this.#download;
    return {
      method: 'GET',
      url: new URL(`jobs/${credentials.jobId}/artifacts${query}`, credentials.apiUrl),
      headers: {
        'User-Agent': credentials.userAgent,
        'X-Request-Id': this.#requestId,
        'JOB-TOKEN': credentials.token,
        'Accept-Encoding': 'identity',
        ...partHeaders(wanted),
      },
    };
  }

  /** @throws RefusedDownload, told in the log, for any answer but the archive. */
  async #accept(response: HttpResponse) {
    this.#note(response);
    if (response.status === 200 || response.status === 206) return remoteBytes(response);
    // The part behind the end of something shorter.
    if (response.status === 416) throw new RemoteChangedError();
    throw await refusal(response, this.#http, this.log);
  }

  #note(response: HttpResponse): void {
    const requestId = headerOf(response, 'x-request-id') || this.#requestId;
    const answer = { correlation_id: requestId, host: response.url.host, status: statusLine(response) };
    this.log = this.#plainLog.child({ ...this.#fields(), ...answer });
  }

  #fields(): LogFields {
    const { jobId, token } = this.#download.credentials;
    return { id: jobId, token: shortToken(token), correlation_id: this.#requestId };
  }
}
