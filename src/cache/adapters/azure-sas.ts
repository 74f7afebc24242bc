import { createHmac } from 'node:crypto';

/** Version of the storage service whose form of signatures is written here. */
export const azureVersion = '2021-12-02';

export interface SasScope {
  readonly account: string;
  readonly container: string;
  readonly blob: string;
  /** `r`, `w` or `rw`. */
  readonly permissions: string;
  readonly startsAtMs: number;
  readonly expiresAtMs: number;
}

/** A key that stands for an identity for a while, given out by the storage service. */
export interface UserDelegationKey {
  readonly objectId: string;
  readonly tenantId: string;
  /** As the service wrote them. */
  readonly startsAt: string;
  readonly expiresAt: string;
  readonly service: string;
  readonly version: string;
  /** Base64. */
  readonly value: string;
}

/** A token for one blob, signed with the account's key (base64); without a leading `?` (spec §11.3). */
export function accountKeySas(scope: SasScope, accountKey: string): string {
  const fields = commonFields(scope);
  const text = [fields.sp, fields.st, fields.se, resourceOf(scope), '', '', ...tail(fields)].join('\n');
  return queryOf({ ...fields, sig: signWith(accountKey, text) });
}

/** The same, signed with a key of an identity. */
export function userDelegationSas(scope: SasScope, key: UserDelegationKey): string {
  const fields = commonFields(scope);
  const identity = {
    skoid: key.objectId,
    sktid: key.tenantId,
    skt: key.startsAt,
    ske: key.expiresAt,
    sks: key.service,
    skv: key.version,
  };
  // Authorised and unauthorised object, correlation, addresses.
  const unset = ['', '', '', ''];
  const head = [fields.sp, fields.st, fields.se, resourceOf(scope)];
  const text = [...head, ...Object.values(identity), ...unset, ...tail(fields)].join('\n');
  return queryOf({ ...fields, ...identity, sig: signWith(key.value, text) });
}

interface CommonFields {
  readonly sp: string;
  readonly st: string;
  readonly se: string;
  readonly spr: string;
  readonly sv: string;
  readonly sr: string;
}

function commonFields({ permissions, startsAtMs, expiresAtMs }: SasScope): CommonFields {
  return {
    sp: permissions,
    st: azureTime(startsAtMs),
    se: azureTime(expiresAtMs),
    spr: 'https',
    sv: azureVersion,
    sr: 'b',
  };
}

/** Protocol, version, kind of resource; then snapshot, encryption scope and five headers of answers, all unset. */
function tail({ spr, sv, sr }: CommonFields): readonly string[] {
  return [spr, sv, sr, '', '', '', '', '', '', ''];
}

function resourceOf({ account, container, blob }: SasScope): string {
  return `/blob/${account}/${container}/${blob}`;
}

/** In whole seconds. */
export function azureTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

function signWith(key: string, text: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
}

function queryOf(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}
