import { AbortReason } from '../../lib/abort.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { bucketUrl, type S3Address } from './s3-endpoint.ts';
import { type AwsCredentials, emptyPayloadHash, signHeaders } from './sigv4.ts';
import { askStore } from './store-request.ts';

export const defaultRegion = 'us-east-1';
const limitMs = 30_000;

export interface RegionQuestion {
  readonly address: S3Address;
  readonly credentials: AwsCredentials;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly nowMs: number;
}

/** Asks the store for the region of a bucket; `undefined` = it does not say, which is logged. */
export async function detectRegion(
  { address, credentials, http, log, nowMs }: RegionQuestion,
  signal: AbortSignal,
): Promise<string | undefined> {
  // The global endpoint answers for every region, but only in this form.
  const url = bucketUrl({ ...address, dualStack: false, accelerate: false }, defaultRegion);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.search = '?location=';
  const context = { credentials, region: defaultRegion, service: 's3', nowMs };
  const headers = signHeaders({ method: 'GET', url, headers: {} }, emptyPayloadHash, context);
  const purpose = { what: `read the region of bucket ${address.bucket}` };
  try {
    const text = await askStore(http, { method: 'GET', url, headers, timeoutMs: limitMs }, purpose, signal);
    return regionOf(text);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    log.warn('Failed to detect S3 bucket location, falling back to default region', {
      bucket: address.bucket,
      region: defaultRegion,
      error: errorMessage(error),
    });
    return undefined;
  }
}

function regionOf(xml: string): string {
  const location = /<LocationConstraint[^>]*>([^<]*)</.exec(xml)?.[1]?.trim() ?? '';
  if (location === '') return defaultRegion;
  return location === 'EU' ? 'eu-west-1' : location;
}
