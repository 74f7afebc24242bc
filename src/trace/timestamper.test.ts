import { describe, expect, it } from 'vitest';
import { ManualClock } from './testing/manual-clock.ts';
import { Timestamper, timestamperStateSchema } from './timestamper.ts';

const T = '2026-01-02T03:04:05.123000Z';

function setUp(stream = 1, source: 'O' | 'E' = 'O') {
  const clock = new ManualClock();
  const layer = new Timestamper(clock, stream, source);
  const say = (text: string): string => Buffer.from(layer.write(Buffer.from(text))).toString();
  return { clock, layer, say, flush: () => Buffer.from(layer.flush()).toString() };
}

describe('Timestamper', () => {
  it('gives every line a header of 32 bytes', () => {
    const { say } = setUp();
    expect(say('one\ntwo\n\n')).toBe(`${T} 01O one\n${T} 01O two\n${T} 01O \n`);
    expect(`${T} 01O `).toHaveLength(32);
  });

  it('names stream and source', () => {
    expect(setUp(0, 'O').say('x\n')).toBe(`${T} 00O x\n`);
    expect(setUp(1, 'E').say('x\n')).toBe(`${T} 01E x\n`);
    expect(setUp(15, 'O').say('x\n')).toBe(`${T} 0fO x\n`);
  });

  it('keeps a begun line with the time of its first byte', () => {
    const { clock, say, flush } = setUp();
    expect(say('on')).toBe('');
    clock.pass(1_500);
    expect(say('e\ntwo')).toBe(`${T} 01O one\n`);
    clock.pass(1_500);
    expect(flush()).toBe('2026-01-02T03:04:06.623000Z 01O two\n');
    expect(flush()).toBe('');
  });

  it('shows a rest with a carriage return at once, and marks the next line as its continuation', () => {
    const { clock, say, flush } = setUp(0);
    expect(say('section_start:1:a\r\x1b[0K')).toBe(`${T} 00O section_start:1:a\r\x1b[0K\n`);
    expect(say('title\nnext\n')).toBe(`${T} 00O+title\n${T} 00O next\n`);
    expect(say('10%')).toBe('');
    clock.pass(1);
    expect(say(' 20%\r')).toBe(`${T} 00O 10% 20%\r\n`);
    expect(say('30%\r')).toBe('2026-01-02T03:04:05.124000Z 00O+30%\r\n');
    expect(flush()).toBe('');
  });

  it('does not take a carriage return before a line end for one', () => {
    const { say } = setUp();
    expect(say('a\r\nb')).toBe(`${T} 01O a\r\n`);
  });

  it('shows an unfinished line of more than 8192 bytes, its header counted, in parts', () => {
    const { say } = setUp();
    expect(say('x'.repeat(8160))).toBe('');
    expect(say('y')).toBe(`${T} 01O ${'x'.repeat(8160)}y\n`);
    expect(say('z\n')).toBe(`${T} 01O+z\n`);
    expect(setUp().say('x'.repeat(9000))).toBe(`${T} 01O ${'x'.repeat(9000)}\n`);
  });

  it('shows parts of a millisecond where the clock has them', () => {
    const { clock, say } = setUp();
    clock.pass(0.25);
    expect(say('x\n')).toBe('2026-01-02T03:04:05.123250Z 01O x\n');
  });

  it('goes on from a snapshot at every position', () => {
    const text = Buffer.from('one\ntw\ro\r\nthree\n\nfour');
    const joined = (lines: string): string => lines.replaceAll(/\n\S+ 01O\+/g, '').replaceAll(/^\S+ 01O[ +]/gm, '');
    for (let position = 0; position <= text.length; position++) {
      const clock = new ManualClock();
      const plain = new Timestamper(clock, 1, 'O');
      const first = new Timestamper(clock, 1, 'O');
      const prefix = Buffer.from(first.write(text.subarray(0, position)));
      const saved: unknown = JSON.parse(JSON.stringify(first.snapshot()));
      const second = new Timestamper(clock, 1, 'O', timestamperStateSchema.parse(saved));
      const resumed = Buffer.concat([prefix, second.write(text.subarray(position)), second.flush()]).toString();
      const whole = Buffer.concat([
        Buffer.from(plain.write(text.subarray(0, position))),
        plain.write(text.subarray(position)),
        plain.flush(),
      ]).toString();
      expect(resumed).toBe(whole);
      expect(joined(resumed)).toBe(`${text.toString()}\n`);
    }
  });
});
