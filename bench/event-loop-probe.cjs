// Loaded with `node -r` before the bundled program: measures how late the event loop of that process is.
// SIGUSR2 writes what was measured since the last one to the file that MILLRACE_BENCH_LOOP_FILE names.
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { renameSync, writeFileSync } = require('node:fs');

const file = process.env.MILLRACE_BENCH_LOOP_FILE;
// The jobs and helpers of the program inherit its environment, but not what to measure.
delete process.env.MILLRACE_BENCH_LOOP_FILE;

if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  process.on('SIGUSR2', () => {
    const milliseconds = (nanoseconds) => nanoseconds / 1e6;
    const seen = {
      samples: delay.count,
      p50: milliseconds(delay.percentile(50)),
      p99: milliseconds(delay.percentile(99)),
      p999: milliseconds(delay.percentile(99.9)),
      max: milliseconds(delay.max),
    };
    delay.reset();
    writeFileSync(`${file}.new`, JSON.stringify(seen));
    renameSync(`${file}.new`, file);
  });
}
