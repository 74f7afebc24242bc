import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputStream } from '../../executors/port.ts';
import { cutAt, propertyRuns } from '../testing/split.ts';
import { boundaryMark } from './boundary-mark.ts';
import { CommandOrder, commandOrderStateSchema } from './command-order.ts';

const MARK = 'b7f3';
const both = (sequence: number): string => boundaryMark(MARK, sequence, 'both');
const only = (sequence: number): string => boundaryMark(MARK, sequence, 'only');

function setUp(outputMark = MARK) {
  let said = '';
  const order = new CommandOrder(outputMark, (stream, bytes) => {
    said += `${stream === 'stdout' ? 'O' : 'E'}(${Buffer.from(bytes).toString()})`;
  });
  const out = (text: string): void => order.write('stdout', Buffer.from(text));
  const err = (text: string): void => order.write('stderr', Buffer.from(text));
  const take = (): string => {
    const taken = said;
    said = '';
    return taken;
  };
  return { order, out, err, take };
}

describe('CommandOrder', () => {
  it('writes marks in the form that scripts print', () => {
    expect(both(12)).toBe('\x1eb7f3:12:b\x1e');
    expect(only(0)).toBe('\x1eb7f3:0:o\x1e');
  });

  it('holds what is behind a mark until the other stream has come to it', () => {
    const { out, err, take, order } = setUp();
    out(`$ one\n${both(1)}$ two\n`);
    expect(take()).toBe('O($ one\n)');
    expect(order.waitsAt).toBe('stdout 1');
    err(`oops\n${both(1)}`);
    expect(take()).toBe('E(oops\n)O($ two\n)');
    expect(order.waitsAt).toBeUndefined();
    err('late');
    expect(take()).toBe('E(late)');
  });

  it('lets a stream pass that is behind', () => {
    const { out, err, take } = setUp();
    out(`${both(3)}three`);
    err(`a${both(1)}b${both(2)}c`);
    expect(take()).toBe('E(a)E(b)E(c)');
    err(both(3));
    expect(take()).toBe('O(three)');
  });

  it('never waits at a mark of one stream', () => {
    const { out, take, order } = setUp();
    out(`a${only(1)}b`);
    expect(take()).toBe('O(a)O(b)');
    expect(order.waitsAt).toBeUndefined();
  });

  it('goes on when both marks come on one stream, because the other was redirected into it', () => {
    const { out, take } = setUp();
    out(`a${both(1)}b${both(1)}c${both(2)}${both(2)}d`);
    expect(take()).toBe('O(a)O(b)O(c)O(d)');
  });

  it('strips marks that are split anywhere', () => {
    const { out, err, take, order } = setUp();
    for (const byte of `a${both(17)}b`) out(byte);
    for (const byte of `c${both(17)}d`) err(byte);
    expect(take()).toBe('O(a)E(c)O(b)E(d)');
    expect(order.waitsAt).toBeUndefined();
  });

  it.each([
    '\x1e',
    '\x1e\x1e',
    '\x1eb7f3',
    '\x1eb7f3:x:b\x1e',
    '\x1eb7f3::b\x1e',
    '\x1eb7f3:1:c\x1e',
    '\x1eb7f3:1:b.',
    '\x1eb7f3:1234567890123456:b\x1e',
    '\x1eother:1:b\x1e',
  ])('leaves %j alone', (text) => {
    const { out, take, order } = setUp();
    out(`<${text}>`);
    order.flush();
    expect(take().replaceAll(/O\((.*?)\)/gs, '$1')).toBe(`<${text}>`);
  });

  it('finds a mark right behind the beginning of one', () => {
    const { out, take } = setUp();
    out(`\x1eb7f3:1${only(2)}z`);
    expect(take()).toBe('O(\x1eb7f3:1)O(z)');
  });

  it('gives a begun mark and held bytes at the end', () => {
    const { out, take, order } = setUp();
    out(`${both(1)}x\x1eb7f3:2`);
    order.flush();
    expect(take()).toBe('O(x)O(\x1eb7f3:2)');
  });

  it('lets go of more than 256 KiB, and does not wait until the other stream shows a mark', () => {
    const { out, err, take } = setUp();
    out(both(1));
    out('x'.repeat(255 * 1024));
    expect(take()).toHaveLength(0);
    out('y'.repeat(1024));
    expect(take()).toHaveLength(256 * 1024 + 'O()O()'.length);
    out(`z${both(2)}z`);
    expect(take()).toBe('O(z)O(z)');
    err(`${both(1)}${both(2)}`);
    out(`${both(3)}w`);
    expect(take()).toBe('');
    err(both(3));
    expect(take()).toBe('O(w)');
  });

  it('bounds a flood of marks', () => {
    const { out, take, order } = setUp();
    out(`${Array.from({ length: 5000 }, (_, index) => both(index)).join('')}end`);
    expect(take()).toBe('O(end)');
    expect(order.waitsAt).toBeUndefined();
  });

  it('gives up waiting when told to', () => {
    const { out, err, take, order } = setUp();
    out(`${both(1)}a${both(2)}b`);
    order.giveUp();
    expect(take()).toBe('O(a)O(b)');
    expect(order.waitsAt).toBeUndefined();
    err(`e${both(2)}`);
    out(`${both(3)}c`);
    expect(take()).toBe('E(e)');
  });

  it('passes everything without an output mark', () => {
    const { out, take } = setUp('');
    out(`a${both(1)}b`);
    expect(take()).toBe(`O(a${both(1)}b)`);
  });
});

interface Delivery {
  readonly stream: OutputStream;
  readonly bytes: Uint8Array;
}

/** Commands that print on both streams, cut into pieces, delivered in any interleaving. */
const deliveries = fc
  .record({
    commands: fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 5 }),
    stdoutCuts: fc.array(fc.nat(200), { maxLength: 8 }),
    stderrCuts: fc.array(fc.nat(200), { maxLength: 8 }),
    turns: fc.array(fc.boolean(), { maxLength: 20 }),
  })
  .map(({ commands, stdoutCuts, stderrCuts, turns }) => {
    const textOf = (stream: 0 | 1): string =>
      commands.map((lengths, index) => `${String(index).repeat(lengths[stream])}${both(index)}`).join('');
    const pieces = {
      stdout: cutAt(Buffer.from(textOf(0)), stdoutCuts),
      stderr: cutAt(Buffer.from(textOf(1)), stderrCuts),
    };
    const list: Delivery[] = [];
    const order = [...turns, ...Array<boolean>(20).fill(true), ...Array<boolean>(20).fill(false)];
    for (const isStdout of order) {
      const stream = isStdout ? 'stdout' : 'stderr';
      const bytes = pieces[stream].shift();
      if (bytes !== undefined) list.push({ stream, bytes });
    }
    return { commands, list };
  });

describe('CommandOrder, any interleaving', () => {
  it('gives the output of all commands in order, on both streams, also when it is restored before each write', () => {
    fc.assert(
      fc.property(deliveries, ({ commands, list }) => {
        const said: string[] = [];
        const emit = (stream: OutputStream, bytes: Uint8Array): void => {
          for (const digit of Buffer.from(bytes).toString()) said.push(`${digit} ${stream}`);
        };
        let order = new CommandOrder(MARK, emit);
        for (const { stream, bytes } of list) {
          const saved: unknown = JSON.parse(JSON.stringify(order.snapshot()));
          order = new CommandOrder(MARK, emit, commandOrderStateSchema.parse(saved));
          order.write(stream, bytes);
        }
        order.flush();
        const expected = commands.flatMap((lengths, index) => [
          ...Array<string>(lengths[0]).fill(`${index} stdout`),
          ...Array<string>(lengths[1]).fill(`${index} stderr`),
        ]);
        expect(said.map((text) => text[0]).join('')).toBe(expected.map((text) => text[0]).join(''));
        expect(said.toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: propertyRuns(5000) },
    );
  });
});
