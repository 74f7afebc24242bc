import type { Logger } from '../observability/logger.ts';
import { headerOf, parseXmlError, readAnswerText, statusLine } from '../platform/http-answer.ts';
import type { HttpResponse } from '../platform/http-client.ts';
import { downloadText } from './download-text.ts';
import type { TransferHttp } from './http-port.ts';

export type DownloadState = 'succeeded' | 'unauthorized' | 'forbidden' | 'not_found' | 'failed';

/** The server answered with something else than the archive; the log says so already. */
export class RefusedDownload extends Error {
  readonly state: DownloadState;

  constructor(state: DownloadState) {
    super(state);
    this.state = state;
  }
}

/** Tells the log what an answer means (spec cache-artifacts.md §5). */
export async function refusal(response: HttpResponse, http: TransferHttp, log: Logger): Promise<RefusedDownload> {
  const body = await readAnswerText(response);
  switch (response.status) {
    case 401:
      log.error(`${downloadText} unauthorized`);
      return new RefusedDownload('unauthorized');
    case 403:
      log.error(`${downloadText} forbidden`, { status: forbiddenText(response, body, http) });
      return new RefusedDownload('forbidden');
    case 404:
      log.error(`${downloadText} not found`);
      return new RefusedDownload('not_found');
    default:
      log.warn(`${downloadText} failed`);
      return new RefusedDownload('failed');
  }
}

/** An object store explains itself in XML, the coordinator in JSON. */
function forbiddenText(response: HttpResponse, body: string, http: TransferHttp): string {
  const contentType = headerOf(response, 'content-type');
  const xml = parseXmlError(contentType, body);
  if (xml !== undefined) return `${statusLine(response)} (${xml.code}: ${xml.message})`;
  return http.describe({ method: 'GET', url: response.url, status: response.status, contentType, body });
}
