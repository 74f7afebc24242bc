import { describe, expect, it } from 'vitest';
import { meterText, startMeter } from './transfer-meter.ts';

describe('the transfer meter', () => {
  it.each([
    [999, undefined, 1000, 'Label 999 B (999 B/s)'],
    [1000, undefined, 1000, 'Label 1.00 KB (1.0 KB/s)'],
    [1_234_567, 5_000_000, 2000, 'Label 1.23 MB/5.00 MB (617.3 KB/s)'],
    [3e9, 0, 500, 'Label 3.00 GB/0 B (6.0 GB/s)'],
    [0, undefined, 0, 'Label 0 B (0 B/s)'],
  ])('%d of %s in %d ms', (done, totalBytes, elapsed, text) => {
    expect(meterText({ label: 'Label', totalBytes }, done, elapsed)).toBe(`\r${text}${' '.repeat(16)}`);
  });

  it('prints at once and at the end, with the only line end there', () => {
    let text = '';
    let now = 0;
    const write = (part: string): void => {
      text += part;
    };
    const meter = startMeter({ label: 'L', frequencyMs: 1, write, now: () => now });
    expect(text).toBe(`\rL 0 B (0 B/s)${' '.repeat(16)}`);
    now = 1000;
    meter.add(2000);
    meter.end();
    meter.end();
    expect(text).toBe(`\rL 0 B (0 B/s)${' '.repeat(16)}\rL 2.00 KB (2.0 KB/s)${' '.repeat(16)}\n`);
  });

  it('is silent when off', () => {
    const meter = startMeter({
      label: 'L',
      frequencyMs: 0,
      write: () => {
        throw new Error('written');
      },
      now: () => 0,
    });
    meter.add(1);
    meter.end();
  });
});
