import type { DockerConfig } from '../../../config/docker-schema.ts';
import { AbortReason } from '../../../lib/abort.ts';
import type { Clock } from '../../../lib/clock.ts';
import { errorMessage } from '../../../lib/errors.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { DockerClient } from '../api/docker-client.ts';
import { lookAtDisk } from './disk-look.ts';
import type { UsageRecord } from './usage-record.ts';

/** Looks after the disks of the daemons that a manager uses. */
export interface DiskCare {
  /** Begins to look after a daemon, where its settings ask for it; once per daemon. */
  watch(client: DockerClient, settings: DockerConfig['disk_care']): void;
  /** Ends all looks; one that is under way is given up. */
  close(): Promise<void>;
}

export interface DiskCareOptions {
  readonly record: UsageRecord;
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const INTERVAL_MS = 600_000;

export function createDiskCare(options: DiskCareOptions): DiskCare {
  const { record, instance, clock, logger } = options;
  const loops = new Map<string, Promise<void>>();
  const end = new AbortController();

  async function look(client: DockerClient, settings: DockerConfig['disk_care']): Promise<void> {
    const parts = { client, record, instance, settings, nowMs: clock.now(), dryRun: false };
    const { removed, problems, state } = await lookAtDisk(parts, end.signal);
    if (removed.length > 0) {
      const bytes = removed.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
      const names = removed.map(({ kind, name }) => `${kind} ${name}`);
      logger.info('Disk care removed what jobs did not use for the longest time', { bytes, removed: names.join(', ') });
    }
    if (problems.length > 0) {
      logger.debug('Disk care left things that the daemon keeps', {
        problems: problems.join('; '),
        usedBytes: state.usedBytes,
      });
    }
  }

  async function loop(client: DockerClient, settings: DockerConfig['disk_care']): Promise<void> {
    const intervalMs = settings.interval > 0 ? settings.interval : INTERVAL_MS;
    while (!end.signal.aborted) {
      try {
        await look(client, settings);
      } catch (error) {
        if (end.signal.aborted) return;
        logger.warn('Disk care cannot look at the daemon', { address: client.address, error: errorMessage(error) });
      }
      await clock.sleep(intervalMs, end.signal).catch(() => {});
    }
  }

  return {
    watch: (client, settings) => {
      if (settings.max_size === '' && settings.min_free === '') return;
      if (!loops.has(client.address)) loops.set(client.address, loop(client, settings));
    },
    close: async () => {
      end.abort(new AbortReason('finished'));
      await Promise.all(loops.values());
    },
  };
}
