import { assert as check, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { createTraceLines } from './trace-lines.ts';

function linesOf(text: string, cut = text.length): readonly string[] {
  const bytes = Buffer.from(text);
  const trace = createTraceLines();
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += cut) lines.push(...trace.push(bytes.subarray(start, start + cut)));
  return [...lines, ...trace.end()];
}

const stamp = '2026-01-02T03:04:05.678901Z ';
const timestamped = [
  `${stamp}00O section_start:1:prepare_executor\r\x1b[0K`,
  `${stamp}00O+\x1b[0K\x1b[36;1mPreparing\x1b[0;m`,
  `${stamp}01O progress 10%\r`,
  `${stamp}01E a warning`,
  `${stamp}01O+progress 20%\r`,
  `${stamp}01O+progress 30%`,
  `${stamp}01O `,
  `${stamp}01O grüße ✓`,
  `${stamp}00O section_end:2:prepare_executor\r\x1b[0K`,
  `${stamp}00O+\x1b[32;1mJob succeeded\x1b[0;m`,
  '',
].join('\n');
const expected = [
  '\x1b[0K\x1b[36;1mPreparing\x1b[0;m',
  'a warning',
  'progress 30%',
  '',
  'grüße ✓',
  '\x1b[32;1mJob succeeded\x1b[0;m',
];

test('timestamps and markers go, continued lines are joined, streams do not mix', () => {
  expect(linesOf(timestamped)).toEqual(expected);
});

test('the result does not depend on how the bytes are cut', () => {
  check(
    property(integer({ min: 1, max: 200 }), (cut) => {
      expect(linesOf(timestamped, cut)).toEqual(expected);
    }),
  );
});

test('traces without timestamps: markers in front of text, drawn-over lines, a last line without end', () => {
  const text = 'section_start:1:x[collapsed=true]\r\x1b[0Ktitle\nold\rnew\n\nsection_end:2:x\r\x1b[0K\nrest';
  expect(linesOf(text)).toEqual(['title', 'new', '', 'rest']);
});

test('a line end of Windows leaves the text', () => {
  expect(linesOf('dos\r\nunix\n')).toEqual(['dos', 'unix']);
});

test('a line split for its length is put together again', () => {
  const half = 'x'.repeat(8100);
  expect(linesOf(`${stamp}01O ${half}\n${stamp}01O+${half}\n${stamp}01O next\n`)).toEqual([half + half, 'next']);
});

test('a progress bar without end is not kept', () => {
  const trace = createTraceLines();
  for (let step = 0; step < 5000; step += 1)
    expect(trace.push(Buffer.from(`${stamp}01O${step ? '+' : ' '}${'#'.repeat(50)} ${step}\r\n`))).toEqual([]);
  expect(trace.end()).toEqual([`${'#'.repeat(50)} 4999`]);
});
