import { describe, expect, it } from 'vitest';
import { accountKeySas, userDelegationSas } from './azure-sas.ts';

const scope = {
  account: 'account',
  container: 'container',
  blob: 'runner/abc/project/42/a key',
  permissions: 'r',
  startsAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  expiresAtMs: Date.UTC(2026, 0, 2, 6, 4, 5),
};

/** Both signatures were made by Microsoft's own library for Go. */
describe('tokens for one blob of Azure', () => {
  it('are signed with the key of the account', () => {
    expect(accountKeySas(scope, Buffer.from('account-key-for-tests').toString('base64'))).toBe(
      'se=2026-01-02T06%3A04%3A05Z&sig=SnEbVb4KAW11%2FilpYxUeTx5CStCcTS6R4Il2SjhWOmo%3D&sp=r&spr=https&sr=b' +
        '&st=2026-01-02T03%3A04%3A05Z&sv=2021-12-02',
    );
  });

  it('are signed with a key of an identity', () => {
    const key = {
      objectId: 'oid',
      tenantId: 'tid',
      startsAt: '2026-01-02T03:04:05Z',
      expiresAt: '2026-01-02T06:04:05Z',
      service: 'b',
      version: '2021-12-02',
      value: 'ZGVsZWdhdGlvbi1rZXk=',
    };
    expect(userDelegationSas(scope, key)).toBe(
      'se=2026-01-02T06%3A04%3A05Z&sig=X6D8imSABNpcUcvulCb8T5m9EaW6wqpJSX%2FDBhz2MJU%3D' +
        '&ske=2026-01-02T06%3A04%3A05Z&skoid=oid&sks=b&skt=2026-01-02T03%3A04%3A05Z&sktid=tid&skv=2021-12-02' +
        '&sp=r&spr=https&sr=b&st=2026-01-02T03%3A04%3A05Z&sv=2021-12-02',
    );
  });
});
