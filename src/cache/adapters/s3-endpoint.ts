import type { RunnerConfig } from '../../config/runner-config.ts';
import { ConfigError } from '../../lib/errors.ts';
import { encodePath } from './sigv4.ts';

export type S3Settings = NonNullable<RunnerConfig['cache']['s3']>;

/** How the objects of one bucket are addressed. */
export interface S3Address {
  /** `undefined` = AWS's own endpoint of the region. */
  readonly endpoint: URL | undefined;
  readonly bucket: string;
  readonly pathStyle: boolean;
  readonly dualStack: boolean;
  readonly accelerate: boolean;
}

const globalEndpoint = 'https://s3.amazonaws.com';

/**
 * The address that settings mean (spec cache-artifacts.md §11.1 "Endpoint", "Path style").
 * @throws ConfigError for a server address that is none.
 */
export function s3Address(settings: S3Settings): S3Address {
  const endpoint = endpointOf(settings);
  return {
    endpoint: endpoint === undefined || endpoint.origin === globalEndpoint ? undefined : endpoint,
    bucket: settings.bucketName,
    pathStyle: settings.pathStyle ?? needsPathStyle(endpoint, settings.bucketName),
    dualStack: settings.dualStack,
    accelerate: settings.accelerate,
  };
}

function endpointOf({ serverAddress, insecure }: S3Settings): URL | undefined {
  if (serverAddress === '') return undefined;
  const url = URL.parse(`${insecure ? 'http' : 'https'}://${serverAddress}`);
  if (url === null || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new ConfigError(`ServerAddress ${JSON.stringify(serverAddress)} of [runners.cache.s3] is no host name`, {
      hint: 'Write a host with or without a port, like "s3.example.com:9000"; Insecure decides between http and https.',
    });
  }
  return url;
}

/** Hosts whose certificates and names are made for a bucket in front of them. */
const virtualHosts = [
  /^s3-external-1\.amazonaws\.com$/,
  /^s3\.amazonaws\.com$/,
  /^s3[.-](?:dualstack\.)?[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
  /^s3-fips\.(?:dualstack\.)?[a-z0-9-]+\.amazonaws\.com$/,
  /^s3-accelerate(?:\.dualstack)?\.amazonaws\.com$/,
  /^bucket\.vpce-[a-z0-9-]+\.s3\.[a-z0-9-]+\.vpce\.amazonaws\.com(?:\.cn)?$/,
  /^s3express-[a-z0-9-]+\.[a-z0-9-]+\.amazonaws\.com$/,
  /^storage\.googleapis\.com$/,
  /(?:^|\.)aliyuncs\.com$/,
];

function needsPathStyle(endpoint: URL | undefined, bucket: string): boolean {
  if (endpoint === undefined) return false;
  if (endpoint.protocol === 'https:' && bucket.includes('.')) return true;
  return !virtualHosts.some((pattern) => pattern.test(endpoint.hostname));
}

/** URL of the bucket itself; objects are below it. */
export function bucketUrl(address: S3Address, region: string): URL {
  const base = address.endpoint ?? awsEndpoint(address, region);
  const url = new URL(base);
  if (address.pathStyle) url.pathname = `/${encodePath(address.bucket)}`;
  else url.hostname = `${address.bucket}.${base.hostname}`;
  return url;
}

export function objectUrl(address: S3Address, region: string, name: string): URL {
  const url = bucketUrl(address, region);
  const folder = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  url.pathname = `${folder}${encodePath(name)}`;
  return url;
}

function awsEndpoint({ dualStack, accelerate }: S3Address, region: string): URL {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  if (accelerate) return new URL(`https://s3-accelerate${dualStack ? '.dualstack' : ''}.${suffix}`);
  return new URL(`https://s3.${dualStack ? 'dualstack.' : ''}${region}.${suffix}`);
}

/** First part of the names of a region's resources. */
export function partitionOf(region: string): string {
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return region.startsWith('cn-') ? 'aws-cn' : 'aws';
}
