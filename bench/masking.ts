/**
 * 100 MB of 100-byte lines through a job's trace with 50 masked values: throughput and event loop delay.
 * Run by hand: `node bench/masking.ts`.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../src/platform/system-clock.ts';
import { createJobTrace } from '../src/trace/job-trace.ts';
import { Masking } from '../src/trace/masking/masking.ts';

const CHUNK_BYTES = 64 * 1024;
const TOTAL_BYTES = 100_000_000;
const WORDS =
  'compiling module src/lib/server.ts warning: at line 120 of https://example.com/a/b?c=d&e=f took 12 s'.split(' ');

const masking = {
  phrases: Array.from({ length: 50 }, (_, index) =>
    randomBytes(20)
      .toString('hex')
      .slice(0, 8 + (index % 32)),
  ),
  tokenPrefixes: ['glpat-', 'gloas-', 'gldt-', 'glrt-', 'glcbt-', 'glptt-', 'glft-', 'glimt-', '_gitlab_session='],
};

function line(): string {
  let text = '';
  while (text.length < 99) text += `${WORDS[Math.floor(Math.random() * WORDS.length)]} `;
  return `${text.slice(0, 99)}\n`;
}

function* chunks(): Generator<Buffer> {
  const sample = Buffer.from(Array.from({ length: 10_000 }, line).join(''));
  for (let sent = 0; sent < TOTAL_BYTES; sent += sample.length) {
    for (let start = 0; start < sample.length; start += CHUNK_BYTES) yield sample.subarray(start, start + CHUNK_BYTES);
  }
}

function speed(bytes: number, startedAt: number): string {
  return `${Math.round(bytes / 1000 / (performance.now() - startedAt))} MB/s`;
}

function maskOnly(): void {
  const masker = new Masking(masking).createMasker();
  const startedAt = performance.now();
  let bytes = 0;
  for (const chunk of chunks()) {
    masker.write(chunk);
    bytes += chunk.length;
  }
  console.log(`masking alone: ${speed(bytes, startedAt)}`);
}

async function wholeTrace(name: string, timestamps: boolean, outputLimitBytes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-masking-'));
  const trace = await createJobTrace({
    path: join(folder, 'trace'),
    masking,
    sections: true,
    timestamps,
    outputLimitBytes,
    outputMark: 'bench',
    clock: systemClock(),
    onStorageError: (error) => console.error(error),
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const stage = trace.openStage();
  const startedAt = performance.now();
  let bytes = 0;
  for (const chunk of chunks()) {
    await stage.write('stdout', chunk);
    bytes += chunk.length;
  }
  stage.close();
  trace.end();
  delay.disable();
  const loop = `event loop delay p99.9 ${(delay.percentile(99.9) / 1e6).toFixed(1)} ms`;
  console.log(`${name}: ${speed(bytes, startedAt)}, ${loop}, ${trace.storedBytes} bytes stored`);
  await trace.close();
  rmSync(folder, { recursive: true });
}

maskOnly();
await wholeTrace('all stored, timestamps', true, 1e9);
await wholeTrace('all stored, plain', false, 1e9);
await wholeTrace('default limit', true, 0);
