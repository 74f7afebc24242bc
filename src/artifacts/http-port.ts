import type { HttpRequest, HttpResponse } from '../platform/http-client.ts';

/** HTTP as transfers need it. Implemented over the coordinator's client by the helper commands. */
export interface TransferHttp {
  /** Sends, and repeats while the server says that it cannot serve now (spec protocol.md §1.5). */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** Sends once. */
  sendOnce(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** How an answer reads in the log (spec protocol.md §1.6). */
  describe(answer: {
    readonly method: string;
    readonly url: URL;
    readonly status: number;
    readonly contentType: string;
    readonly body: string;
  }): string;
}

/** Which job's artifacts, and by what right. */
export interface JobCredentials {
  /** `<url>/api/v4/` */
  readonly apiUrl: URL;
  readonly jobId: number;
  readonly token: string;
  readonly userAgent: string;
}
