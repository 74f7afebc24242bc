export interface AzureAddress {
  readonly account: string;
  /** Empty = Azure's own. */
  readonly domain: string;
  /** Default https. */
  readonly protocol?: string;
}

const defaultDomain = 'blob.core.windows.net';

/** URL of an account's blob service; that of an emulator on this machine has the account in its path (spec §11.3). */
export function azureServiceUrl({ account, domain, protocol = 'https' }: AzureAddress): string {
  const host = domain === '' ? defaultDomain : domain;
  return /^(?:localhost|127\.0\.0\.1)(?:[:/]|$)/.test(host)
    ? `${protocol}://${host}/${account}`
    : `${protocol}://${account}.${host}`;
}
