import { AbortReason } from '../lib/abort.ts';
import type { CommandEnvironment } from './command-environment.ts';

/** A signal that SIGINT, SIGQUIT, SIGTERM or a closed terminal aborts. Dispose it when the command is over. */
export function stopSignal(environment: CommandEnvironment): {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
} {
  const controller = new AbortController();
  const stops = (['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const).map((name) =>
    environment.onSignal(name, () => controller.abort(new AbortReason('aborted', `stopped by ${name}`))),
  );
  return {
    signal: controller.signal,
    dispose: () => {
      for (const stop of stops) stop();
    },
  };
}
