import { ExternalDependencyError } from '../../lib/errors.ts';
import { azureTime, azureVersion, type UserDelegationKey } from './azure-sas.ts';
import type { ServicePorts } from './service-ports.ts';
import { askStore } from './store-request.ts';

const longestMs = 7 * 24 * 3_600_000;
const limitMs = 30_000;

export interface DelegationKeys {
  /** A key that is good until then, or for a week. @throws ExternalDependencyError */
  until(expiresAtMs: number, signal: AbortSignal): Promise<UserDelegationKey>;
}

/** Keys of an identity for signing tokens, asked for once for many (spec cache-artifacts.md §11.3). */
export function delegationKeys(
  serviceUrl: string,
  token: (signal: AbortSignal) => Promise<string>,
  { http, now }: ServicePorts,
): DelegationKeys {
  let known: { readonly key: UserDelegationKey; readonly expiresAtMs: number } | undefined;

  async function ask(expiresAtMs: number, signal: AbortSignal): Promise<UserDelegationKey> {
    const url = new URL(serviceUrl);
    url.pathname = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
    url.search = '?restype=service&comp=userdelegationkey';
    const what = 'get a user delegation key from Azure';
    const hints = {
      403: 'the identity needs the role Storage Blob Data Contributor on the account',
      404: 'check AccountName and StorageDomain',
    };
    const request = {
      method: 'POST',
      url,
      headers: {
        Authorization: `Bearer ${await token(signal)}`,
        'x-ms-version': azureVersion,
        'Content-Type': 'application/xml',
      },
      body:
        '<?xml version="1.0" encoding="utf-8"?><KeyInfo>' +
        `<Start>${azureTime(now())}</Start><Expiry>${azureTime(expiresAtMs)}</Expiry></KeyInfo>`,
      timeoutMs: limitMs,
    };
    return parseKey(await askStore(http, request, { what, hints }, signal), what);
  }

  return {
    until: async (wantedMs, signal) => {
      const latestMs = now() + longestMs - 60_000;
      const expiresAtMs = Math.min(wantedMs, latestMs);
      if (known === undefined || known.expiresAtMs < expiresAtMs) {
        // Half as long again: the next jobs find it long enough.
        const untilMs = Math.min(latestMs, expiresAtMs + (expiresAtMs - now()) / 2);
        known = { key: await ask(untilMs, signal), expiresAtMs: untilMs };
      }
      return known.key;
    },
  };
}

function parseKey(xml: string, what: string): UserDelegationKey {
  const element = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  const key = {
    objectId: element('SignedOid'),
    tenantId: element('SignedTid'),
    startsAt: element('SignedStart'),
    expiresAt: element('SignedExpiry'),
    service: element('SignedService'),
    version: element('SignedVersion'),
    value: element('Value'),
  };
  if (key.value !== '') return key;
  throw new ExternalDependencyError(`cannot ${what}: the answer holds no key`);
}
