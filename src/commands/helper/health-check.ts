import { CommandError } from '../../lib/errors.ts';
import { systemClock } from '../../platform/system-clock.ts';
import { acceptsConnections } from '../../platform/tcp-reach.ts';
import { defineHelperCommand } from './helper-command.ts';

const pauseMs = 1000;
const dialLimitMs = 10_000;

/**
 * Waits until one of a service's ports accepts connections (spec docker.md §12.4). Whoever starts it ends it where that
 * never happens.
 */
export const healthCheck = defineHelperCommand({
  name: 'health-check',
  summary: 'check health for a specific address (internal)',
  options: {},
  run: async (_options, { io, log }, signal) => {
    const targets = targetsOf(io.env);
    const clock = io.clock ?? systemClock();
    for (;;) {
      log.info('waiting for TCP connection', {
        targets: targets.map(({ host, port }) => `${host}:${port}`).join(', '),
      });
      const answers = await Promise.all(
        targets.map(({ host, port }) => acceptsConnections(host, port, dialLimitMs, signal)),
      );
      if (answers.includes(true)) return 0;
      await clock.sleep(pauseMs, signal);
    }
  },
});

/** From `WAIT_FOR_SERVICE_TCP_ADDR` and `WAIT_FOR_SERVICE_<port>_TCP_PORT`, and the links' older names. */
function targetsOf(
  env: Readonly<Record<string, string | undefined>>,
): readonly { readonly host: string; readonly port: number }[] {
  const entries = Object.entries(env);
  const host = entries.find(([name, value]) => name.endsWith('_TCP_ADDR') && value)?.[1];
  const ports = entries.flatMap(([name, value]) => (name.endsWith('_TCP_PORT') && value ? [Number(value)] : []));
  if (host === undefined) throw new CommandError('No HOST found');
  const valid = ports.filter((port) => Number.isInteger(port) && port > 0);
  if (valid.length === 0) throw new CommandError('No PORT found');
  return valid.map((port) => ({ host, port }));
}
