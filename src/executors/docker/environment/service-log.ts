import { AbortReason } from '../../../lib/abort.ts';
import { errorMessage } from '../../../lib/errors.ts';
import type { JobContext } from './job-context.ts';
import type { RunningService } from './service-health.ts';

/**
 * Writes what a service prints into the job's log, line by line (CI_DEBUG_SERVICES).
 * @returns ends it
 */
export function followServiceLog({ client, io }: JobContext, { service, info }: RunningService): () => void {
  const mark = `[service:${service.aliases.toReversed().join('-')}]`;
  return endedBy(
    async (signal) => {
      const frames = await client.containerLogs(info.Id, { follow: true, timestamps: true }, signal);
      const rest = { stdout: '', stderr: '' };
      for await (const { stream, bytes } of frames) {
        const lines = `${rest[stream]}${Buffer.from(bytes).toString()}`.split('\n');
        rest[stream] = lines.pop() ?? '';
        for (const line of lines) io.log.print(`\x1b[0;37m${mark} ${line}\x1b[0;m`);
      }
    },
    (text) => io.log.warning(`error streaming logs for container ${service.container}: ${text}`),
  );
}

/** For work that goes on beside a job and ends with it. */
function endedBy(work: (signal: AbortSignal) => Promise<void>, onError: (text: string) => void): () => void {
  const end = new AbortController();
  void work(end.signal).catch((error: unknown) => {
    if (!end.signal.aborted) onError(errorMessage(error));
  });
  return () => end.abort(new AbortReason('finished'));
}
