import { describe, expect, it } from 'vitest';
import { generateSystemId } from './system-id.ts';

describe('generateSystemId', () => {
  it('derives the id from the machine', () => {
    // printf gitlab-runner | openssl dgst -sha256 -hmac 0123456789abcdef
    expect(generateSystemId('0123456789abcdef')).toBe('s_7a8ab7a73253');
  });

  it('is random without a machine id', () => {
    const first = generateSystemId('');
    expect(first).toMatch(/^r_[0-9a-zA-Z]{12}$/);
    expect(generateSystemId('')).not.toBe(first);
  });
});
