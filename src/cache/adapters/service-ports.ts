import type { HttpClient } from '../../platform/http-client.ts';

/** What finding the identity of this process at a cloud needs. */
export interface ServicePorts {
  readonly http: HttpClient;
  /** Never through a proxy: services that only this machine can ask. */
  readonly localHttp: HttpClient;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  /** `undefined` = there is no such file. */
  readonly readText: (path: string) => Promise<string | undefined>;
  /** Random hex digits, two for each byte. */
  readonly randomHex: (byteCount: number) => string;
}
