import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What is wrong with a request's signature V4, in a service's own words; undefined = nothing. */
export interface SignatureProblem {
  readonly code: 'AccessDenied' | 'SignatureDoesNotMatch' | 'InvalidAccessKeyId';
  readonly message: string;
}

export interface SignatureKeys {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** Checks requests as a service does; written from the scheme's description, apart from what signs in the product. */
export function checkSignature(
  request: IncomingMessage,
  payloadHash: string,
  keys: SignatureKeys,
  nowMs: number,
): SignatureProblem | undefined {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const parameters = query.split('&').filter((part) => part !== '');
  const isInQuery = parameters.some((part) => part.startsWith('X-Amz-Signature='));
  const given = isInQuery ? fromQuery(parameters) : fromHeader(request);
  if (given === undefined) return { code: 'AccessDenied', message: 'the request is not signed' };
  if (given.accessKey !== keys.accessKey) return { code: 'InvalidAccessKeyId', message: 'unknown access key' };
  if (given.scope.split('/').slice(1).join('/') !== `${keys.region}/s3/aws4_request`) {
    return { code: 'AccessDenied', message: `the scope ${given.scope} is not of this region` };
  }
  const signedAtMs = parseDate(given.date);
  if (isInQuery && nowMs > signedAtMs + given.lifeSeconds * 1000) {
    return { code: 'AccessDenied', message: 'Request has expired.' };
  }
  if (!isInQuery && Math.abs(nowMs - signedAtMs) > 900_000) return { code: 'AccessDenied', message: 'clocks differ' };
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith('x-amz-') && !given.signedHeaders.includes(name),
  );
  if (unsigned.length > 0) return { code: 'AccessDenied', message: `not signed: ${unsigned.join(', ')}` };
  const canonical = [
    request.method,
    path,
    parameters
      .filter((part) => !part.startsWith('X-Amz-Signature='))
      .map((part) => (part.includes('=') ? part : `${part}=`))
      .sort()
      .join('&'),
    ...given.signedHeaders.map((name) => `${name}:${String(request.headers[name]).trim().replace(/\s+/g, ' ')}`),
    '',
    given.signedHeaders.join(';'),
    isInQuery ? 'UNSIGNED-PAYLOAD' : payloadHash,
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', given.date, given.scope, sha256(canonical)].join('\n');
  const [day = '', region = '', service = '', end = ''] = given.scope.split('/');
  const key = [day, region, service, end].reduce<Buffer | string>(
    (last, part) => hmac(last, part),
    `AWS4${keys.secretKey}`,
  );
  if (hmac(key, text).toString('hex') === given.signature) return undefined;
  return { code: 'SignatureDoesNotMatch', message: 'The request signature we calculated does not match.' };
}

interface GivenSignature {
  readonly accessKey: string;
  readonly scope: string;
  readonly date: string;
  readonly lifeSeconds: number;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

function fromQuery(parameters: readonly string[]): GivenSignature | undefined {
  const values = new Map(parameters.map((part) => part.split('=', 2).map(decodeURIComponent) as [string, string]));
  const [accessKey = '', ...scope] = (values.get('X-Amz-Credential') ?? '').split('/');
  return {
    accessKey,
    scope: scope.join('/'),
    date: values.get('X-Amz-Date') ?? '',
    lifeSeconds: Number(values.get('X-Amz-Expires')),
    signedHeaders: (values.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: values.get('X-Amz-Signature') ?? '',
  };
}

function fromHeader({ headers }: IncomingMessage): GivenSignature | undefined {
  const form = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/;
  const [, accessKey = '', scope = '', signedHeaders = '', signature = ''] =
    form.exec(headers.authorization ?? '') ?? [];
  if (signature === '') return undefined;
  const date = String(headers['x-amz-date'] ?? '');
  return { accessKey, scope, date, lifeSeconds: 0, signedHeaders: signedHeaders.split(';'), signature };
}

function parseDate(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
