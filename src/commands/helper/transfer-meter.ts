/** Shows how far a transfer is (spec cache-artifacts.md §3.7). */
export interface TransferMeter {
  add(bytes: number): void;
  /** Prints the last state and ends the line. Idempotent. */
  end(): void;
}

export interface MeterOptions {
  readonly label: string;
  readonly totalBytes?: number | undefined;
  /** 0 = off; otherwise at least a second. */
  readonly frequencyMs: number;
  readonly write: (text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
}

const silent: TransferMeter = { add: () => {}, end: () => {} };

export function startMeter(options: MeterOptions): TransferMeter {
  if (options.frequencyMs <= 0) return silent;
  const startedAt = options.now();
  let doneBytes = 0;
  const print = (): void => options.write(meterText(options, doneBytes, options.now() - startedAt));
  print();
  const timer = setInterval(print, Math.max(1000, options.frequencyMs));
  timer.unref();
  let isRunning = true;
  return {
    add: (bytes) => {
      doneBytes += bytes;
    },
    end: () => {
      if (!isRunning) return;
      isRunning = false;
      clearInterval(timer);
      print();
      options.write('\n');
    },
  };
}

/** The text of one update, without the line's end. */
export function meterText(
  options: Pick<MeterOptions, 'label' | 'totalBytes'>,
  doneBytes: number,
  elapsedMs: number,
): string {
  const total = options.totalBytes === undefined ? '' : `/${sizeText(options.totalBytes)}`;
  const rate = elapsedMs > 0 ? (doneBytes * 1000) / elapsedMs : 0;
  return `\r${options.label} ${sizeText(doneBytes)}${total} (${rateText(rate)})${' '.repeat(16)}`;
}

function sizeText(bytes: number): string {
  const { value, unit } = scaled(bytes);
  return unit === '' ? `${Math.floor(value)} B` : `${value.toFixed(2)} ${unit}B`;
}

function rateText(bytesPerSecond: number): string {
  const { value, unit } = scaled(bytesPerSecond);
  return unit === '' ? `${Math.floor(value)} B/s` : `${value.toFixed(1)} ${unit}B/s`;
}

function scaled(bytes: number): { readonly value: number; readonly unit: string } {
  let value = bytes;
  let unit = '';
  for (const next of ['K', 'M', 'G', 'T', 'P', 'E']) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return { value, unit };
}
