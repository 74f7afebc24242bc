import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchTree, makeTree } from '../support/archive-tree.ts';
import type { BenchOptions, Figure } from '../support/figure.ts';
import { runHelper } from '../support/helper-run.ts';
import { type Measurement, Samples, summary } from '../support/measurement.ts';
import type { RunnerProgram } from '../support/program.ts';
import { startUploadSink, type UploadSink } from '../support/upload-sink.ts';

/** A way to save a cache. The Go runner has several, and is compared at its best. */
interface Way {
  readonly name: string;
  readonly program: RunnerProgram;
  readonly env: Readonly<Record<string, string>>;
  readonly save: number[];
  readonly restore: number[];
}

const fastZip = { FF_USE_FASTZIP: 'true' };
const manyFiles = { files: 200_000, bytes: 400_000_000 };

/** Caches and artifacts of a tree as dependencies make them, on a memory file system where there is one. */
export const archives: Figure = {
  name: 'archives',
  title: 'caches and artifacts of 12,000 files, 140 MB',
  measure: async (options) => {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-bench-'));
    const sink = await startUploadSink();
    try {
      makeTree(join(folder, 'tree'), benchTree);
      const bench = new ArchiveBench(folder, sink, options);
      return await bench.measure(options.runs ?? 9);
    } finally {
      await sink.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

class ArchiveBench {
  readonly #folder: string;
  readonly #tree: string;
  readonly #sink: UploadSink;
  readonly #programs: readonly RunnerProgram[];
  readonly #ways: readonly Way[];
  readonly #peak = { save: new Samples(), restore: new Samples(), upload: new Samples(), many: new Samples() };
  readonly #times = { upload: new Samples(), unchanged: new Samples(), sent: new Samples(), many: new Samples() };
  readonly #floor = { save: new Samples(), restore: new Samples() };

  constructor(folder: string, sink: UploadSink, { ours, peerHelper }: BenchOptions) {
    this.#folder = folder;
    this.#tree = join(folder, 'tree');
    this.#sink = sink;
    this.#programs = peerHelper === undefined ? [ours] : [ours, peerHelper];
    const way = (name: string, program: RunnerProgram, env: Readonly<Record<string, string>>): Way => ({
      name,
      program,
      env,
      save: [],
      restore: [],
    });
    const fastest = { ...fastZip, CACHE_COMPRESSION_LEVEL: 'fastest' };
    this.#ways = [
      way('default', ours, {}),
      ...(peerHelper === undefined
        ? []
        : [
            way('its default', peerHelper, fastZip),
            way('its fastest zip, which only stores', peerHelper, fastest),
            way('its fastest tarzstd', peerHelper, { ...fastest, CACHE_COMPRESSION_FORMAT: 'tarzstd' }),
          ]),
    ];
  }

  async measure(runs: number): Promise<readonly Measurement[]> {
    for (let run = -1; run < runs; run += 1) {
      for (const way of this.#ways) await this.#saveAndRestore(way, run >= 0);
      for (const program of this.#programs) await this.#upload(program, run >= 0);
      for (const program of this.#programs) await this.#unchanged(program, run >= 0);
      if (run >= 0) this.#measureFloor();
    }
    await this.#manyFiles();
    return this.#measurements();
  }

  async #saveAndRestore({ program, env, save, restore }: Way, counts: boolean): Promise<void> {
    const folder = join(this.#folder, 'work');
    const target = join(folder, 'target');
    mkdirSync(target, { recursive: true });
    const file = join(folder, 'cache.zip');
    const saved = await this.#save(program, file, env);
    const restored = await runHelper(program, ['cache-extractor', '--file', file], { cwd: target, env });
    rmSync(folder, { recursive: true });
    if (!counts) return;
    save.push(saved.seconds);
    restore.push(restored.seconds);
    this.#peak.save.add(program.kind, saved.peakMebibytes);
    this.#peak.restore.add(program.kind, restored.peakMebibytes);
  }

  #save(program: RunnerProgram, file: string, env: Readonly<Record<string, string>>, more: readonly string[] = []) {
    const args = ['cache-archiver', '--file', file, '--path', 'packages', ...more];
    return runHelper(program, args, { cwd: this.#tree, env });
  }

  async #upload(program: RunnerProgram, counts: boolean): Promise<void> {
    const env = { ...fastZip, CI_SERVER_URL: this.#sink.url, CI_JOB_TOKEN: 'token', CI_JOB_ID: '1' };
    const args = ['artifacts-uploader', '--path', 'packages'];
    const { seconds, peakMebibytes } = await runHelper(program, args, { cwd: this.#tree, env });
    if (!counts) return;
    this.#times.upload.add(program.kind, seconds);
    this.#peak.upload.add(program.kind, peakMebibytes);
  }

  /** Saves a cache that the store has already, of a tree that did not change. */
  async #unchanged(program: RunnerProgram, counts: boolean): Promise<void> {
    const file = join(this.#folder, program.kind, 'cache.zip');
    const url = `${this.#sink.url}/cache`;
    // Older helpers of the peer know only the first one.
    const check = program.kind === 'peer' ? [] : ['--check-url', url, '--alternate-file', `${file}.other`];
    const more = ['--url', url, ...check];
    if (!existsSync(file)) await this.#save(program, file, fastZip, more);
    const before = this.#sink.received();
    const { seconds } = await this.#save(program, file, fastZip, more);
    if (!counts) return;
    this.#times.unchanged.add(program.kind, seconds);
    this.#times.sent.add(program.kind, this.#sink.received() - before);
  }

  #measureFloor(): void {
    const archive = join(this.#folder, 'floor.tar.zst');
    const target = join(this.#folder, 'floor');
    const save = shellSeconds(`tar cf - -C '${this.#tree}' . | zstd -q -1 -T2 >'${archive}'`);
    mkdirSync(target);
    const restore = shellSeconds(`zstd -q -dc '${archive}' | tar xf - -C '${target}'`);
    rmSync(target, { recursive: true });
    rmSync(archive, { force: true });
    if (save !== undefined) this.#floor.save.add('millrace', save);
    if (restore !== undefined) this.#floor.restore.add('millrace', restore);
  }

  async #manyFiles(): Promise<void> {
    rmSync(this.#tree, { recursive: true });
    makeTree(this.#tree, manyFiles);
    for (const program of this.#programs) {
      const file = join(this.#folder, `${program.kind}-many.zip`);
      const { seconds, peakMebibytes } = await this.#save(program, file, fastZip);
      rmSync(file);
      this.#times.many.add(program.kind, seconds);
      this.#peak.many.add(program.kind, peakMebibytes);
    }
  }

  #measurements(): readonly Measurement[] {
    const [ours, ...others] = this.#ways;
    if (ours === undefined) return [];
    const compare = (what: 'save' | 'restore', ratioAtMost: number): readonly Measurement[] => {
      const best = Math.min(...others.map((way) => medianOf(way[what])));
      const line = (peer: Way): Measurement => ({
        name: `cache ${what} (peer: ${peer.name})`,
        unit: 's',
        ours: ours[what],
        peer: peer[what],
        ...(medianOf(peer[what]) === best ? { target: { ratioAtMost } } : {}),
      });
      return others.length === 0
        ? [{ name: `cache ${what}`, unit: 's', ours: ours[what], peer: [] }]
        : others.map(line);
    };
    const share = { oursAtMost: 0.3 * medianOf(ours.save) };
    return [
      ...compare('save', 0.6),
      ...compare('restore', 0.9),
      this.#times.upload.measurement('zip artifact: archive and upload', 's', { ratioAtMost: 0.9 }),
      this.#times.unchanged.measurement('unchanged cache (wanted: 0.3 of our save)', 's', share),
      this.#times.sent.measurement('unchanged cache: bytes uploaded', 'B', { oursAtMost: 0 }),
      this.#peak.save.measurement('cache save: most memory', 'MiB', { oursAtMost: 200 }),
      this.#peak.restore.measurement('cache restore: most memory', 'MiB', { oursAtMost: 200 }),
      this.#peak.upload.measurement('zip artifact: most memory', 'MiB', { oursAtMost: 200 }),
      this.#times.many.measurement('cache save of 200,000 files, 400 MB', 's'),
      this.#peak.many.measurement('cache save of 200,000 files: most memory', 'MiB', { oursAtMost: 200 }),
      this.#floor.save.measurement('floor, not ours: tar | zstd -1 -T2', 's'),
      this.#floor.restore.measurement('floor, not ours: zstd -d | tar', 's'),
    ];
  }
}

function medianOf(samples: readonly number[]): number {
  return summary(samples)?.median ?? Number.POSITIVE_INFINITY;
}

/** Undefined where a program of it is not here. */
function shellSeconds(script: string): number | undefined {
  const startedAt = performance.now();
  const { status } = spawnSync('bash', ['-o', 'pipefail', '-c', script], { stdio: 'ignore' });
  return status === 0 ? (performance.now() - startedAt) / 1000 : undefined;
}
