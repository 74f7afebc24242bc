import * as z from 'zod';
import { readStateFile, replaceStateFile } from '../../../platform/state-file.ts';
import type { ImageTracker } from '../images/image-tracker.ts';

const entrySchema = z.object({ lastUsedMs: z.number() });
const imageSchema = entrySchema.extend({
  /** Names it was pulled under. */
  names: z.array(z.string()),
});
const recordSchema = z.object({
  version: z.literal(1),
  daemons: z.record(
    z.string(),
    z.object({ images: z.record(z.string(), imageSchema), volumes: z.record(z.string(), entrySchema) }),
  ),
});

type UsageTable = z.output<typeof recordSchema>;
export type DaemonUsage = UsageTable['daemons'][string];

/**
 * Which images this manager pulled, and when jobs last used them and the cache volumes; on disk, since the disk care
 * has to know it after a restart. A file that is damaged counts as empty: then nothing is known to be ours, and nothing
 * is removed.
 */
export interface UsageRecord {
  of(daemon: string): DaemonUsage;
  imageTracker(daemon: string): ImageTracker;
  volumesUsed(daemon: string, names: readonly string[]): void;
  /** Forgets what is gone. */
  keepOnly(daemon: string, images: ReadonlySet<string>, volumes: ReadonlySet<string>): void;
}

/**
 * Every change reads the file anew, as other managers of the same state folder write it too.
 * @param report what keeps the record from being written; jobs go on.
 */
export function openUsageRecord(path: string, now: () => number, report: (error: unknown) => void): UsageRecord {
  function change(address: string, apply: (usage: DaemonUsage) => void): void {
    try {
      const table = load(path);
      table.daemons[address] ??= { images: {}, volumes: {} };
      apply(table.daemons[address]);
      replaceStateFile(path, JSON.stringify(table));
    } catch (error) {
      report(error);
    }
  }

  return {
    of: (address) => load(path).daemons[address] ?? { images: {}, volumes: {} },
    imageTracker: (address) => ({
      used: ({ id }) =>
        change(address, ({ images }) => {
          const known = images[id];
          // What the host brought along itself is not ours to remember.
          if (known !== undefined) known.lastUsedMs = now();
        }),
      pulled: (name, id) =>
        change(address, ({ images }) => {
          const names = new Set([...(images[id]?.names ?? []), name]);
          images[id] = { lastUsedMs: now(), names: [...names] };
        }),
    }),
    volumesUsed: (address, names) => {
      if (names.length === 0) return;
      change(address, ({ volumes }) => {
        for (const name of names) volumes[name] = { lastUsedMs: now() };
      });
    },
    keepOnly: (address, images, volumes) =>
      change(address, (usage) => {
        usage.images = kept(usage.images, images);
        usage.volumes = kept(usage.volumes, volumes);
      }),
  };
}

function kept<T>(entries: Readonly<Record<string, T>>, present: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => present.has(key)));
}

function load(path: string): UsageTable {
  const empty: UsageTable = { version: 1, daemons: {} };
  const text = readStateFile(path);
  if (text === undefined) return empty;
  try {
    const parsed = recordSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : empty;
  } catch {
    return empty;
  }
}
