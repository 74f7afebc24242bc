import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { overLimitNotice } from './line-forms.ts';
import { OutputLimit } from './output-limit.ts';

function admit(limit: OutputLimit, text: string): string {
  return Buffer.concat(limit.admit(Buffer.from(text))).toString();
}

describe('OutputLimit', () => {
  it('cuts the write that goes over it, says so once, and drops the rest', () => {
    const limit = new OutputLimit(10);
    const stored = admit(limit, 'This is the long message') + admit(limit, 'This is the long message');
    expect(stored).toBe(`This is th${overLimitNotice(10)}`);
    expect(crc32(stored).toString(16)).toBe('295921ca');
    expect(limit.isReached).toBe(true);
  });

  it('counts a write that fills it exactly as going over', () => {
    const limit = new OutputLimit(10);
    expect(admit(limit, '123456789')).toBe('123456789');
    expect(admit(limit, '0')).toBe(`0${overLimitNotice(10)}`);
  });

  it('does not cut a character', () => {
    expect(admit(new OutputLimit(3), 'a😀b')).toBe(`a${overLimitNotice(3)}`);
    expect(admit(new OutputLimit(5), 'a😀b')).toBe(`a😀${overLimitNotice(5)}`);
  });

  it('is 4 MiB unless told otherwise', () => {
    const limit = new OutputLimit(0);
    expect(limit.admit(Buffer.alloc(4 * 1024 * 1024 - 1, 'x'))).toHaveLength(1);
    expect(limit.isReached).toBe(false);
    limit.admit(Buffer.from('x'));
    expect(limit.isReached).toBe(true);
  });
});
