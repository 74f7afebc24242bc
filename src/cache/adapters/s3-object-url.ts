import { ConfigError } from '../../lib/errors.ts';
import { type S3Encryption, s3Encryption } from './s3-encryption.ts';
import type { S3Address } from './s3-endpoint.ts';
import { encodePath } from './sigv4.ts';

/** What the URL of an object in S3 tells the helper. */
export interface S3UrlFacts {
  readonly address: S3Address;
  /** Empty = as the helper's environment says. */
  readonly region: string;
  readonly encryption: S3Encryption | undefined;
  /** Said even with an endpoint of one's own, where it has no effect. */
  readonly dualStack: boolean;
}

/** `s3://bucket/name?…` in the form that the Go runner's helper opens too (spec cache-artifacts.md §11.1). */
export function s3ObjectUrl(name: string, { address, region, encryption, dualStack }: S3UrlFacts): string {
  const { endpoint, bucket, pathStyle, accelerate } = address;
  const parameters: Record<string, string> = {
    ...(accelerate ? { accelerate: 'true' } : {}),
    awssdk: 'v2',
    ...(dualStack ? { dualstack: 'true' } : {}),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.origin }),
    ...(endpoint !== undefined && pathStyle ? { hostname_immutable: 'true' } : {}),
    ...(encryption === undefined || encryption.keyId === '' ? {} : { kmskeyid: encryption.keyId }),
    ...(region === '' ? {} : { region }),
    ...(encryption === undefined ? {} : { ssetype: encryption.type }),
    ...(pathStyle ? { use_path_style: 'true' } : {}),
  };
  return `s3://${bucket}/${encodePath(name)}?${new URLSearchParams(parameters).toString()}`;
}

/** Reads such a URL. @throws ConfigError */
export function parseS3ObjectUrl(url: URL): S3UrlFacts {
  const { searchParams } = url;
  const flag = (name: string): boolean => searchParams.get(name) === 'true';
  const text = searchParams.get('endpoint') ?? '';
  const endpoint = text === '' ? undefined : (URL.parse(text) ?? URL.parse(`https://${text}`) ?? undefined);
  if (text !== '' && endpoint === undefined) throw new ConfigError('the endpoint of the cache URL cannot be read');
  const pathStyle = flag('use_path_style') || flag('s3ForcePathStyle');
  return {
    address: {
      endpoint,
      bucket: url.hostname,
      pathStyle,
      dualStack: flag('dualstack'),
      accelerate: flag('accelerate'),
    },
    region: searchParams.get('region') ?? '',
    encryption: s3Encryption(searchParams.get('ssetype') ?? '', searchParams.get('kmskeyid') ?? ''),
    dualStack: flag('dualstack'),
  };
}
