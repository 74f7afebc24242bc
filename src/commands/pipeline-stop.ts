import { AbortReason } from '../lib/abort.ts';
import type { CommandEnvironment, SignalName } from './command-environment.ts';

type StopName = Extract<SignalName, 'SIGINT' | 'SIGQUIT' | 'SIGTERM' | 'SIGHUP'>;

const exitCodes: Readonly<Record<StopName, number>> = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 };

export interface StopActions {
  /** First request: stop scripts, still run after_script. */
  readonly cancel: () => void;
  /** Second request: stop everything. */
  readonly abort: () => void;
}

/** Turns the signals of the process into requests to stop: gently, at once, and then without waiting. */
export interface StopRequests {
  /** Aborted with the first request, as long as nobody set other actions. */
  readonly signal: AbortSignal;
  /** Exit code of the first signal that came; undefined = none came. */
  exitCode(): number | undefined;
  /** From now on requests go here. One that came before is passed on. */
  setActions(actions: StopActions): void;
  dispose(): void;
}

export function listenForStop(environment: Pick<CommandEnvironment, 'onSignal' | 'exit'>): StopRequests {
  const controller = new AbortController();
  let actions: StopActions | undefined;
  let count = 0;
  let exitCode: number | undefined;

  const request = (name: StopName): void => {
    exitCode ??= exitCodes[name];
    count += 1;
    if (count > 2) environment.exit(exitCode);
    if (actions === undefined) controller.abort(new AbortReason('canceled', `stopped by ${name}`));
    else if (count === 1) actions.cancel();
    else actions.abort();
  };
  const stops = (['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const).map((name) =>
    environment.onSignal(name, () => request(name)),
  );
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    setActions: (given) => {
      actions = given;
      if (count >= 1) given.cancel();
      if (count >= 2) given.abort();
    },
    dispose: () => {
      for (const stop of stops) stop();
    },
  };
}
