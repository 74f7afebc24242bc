import { unreachable } from '../lib/unreachable.ts';

/** Where a runner manager is in its life (spec commands.md §4). */
export type ManagerState = 'starting' | 'running' | 'graceful-shutdown' | 'forceful-shutdown' | 'stopped';

/** `drain` = SIGQUIT; `stop` = SIGTERM, SIGINT; `started` and `finished` come from the manager itself. */
export type ManagerEvent = 'started' | 'drain' | 'stop' | 'finished';

/** What the manager has to do at a change. */
export type ManagerAction = 'none' | 'begin_drain' | 'repeat_drain' | 'abort_jobs' | 'exit_now';

export interface Transition {
  readonly state: ManagerState;
  readonly action: ManagerAction;
}

/**
 * The whole of stopping: the first stop aborts the jobs, whatever went before; once that has begun, any further signal
 * ends the process at once.
 */
export function transition(state: ManagerState, event: ManagerEvent): Transition {
  if (state === 'stopped') return { state, action: 'none' };
  switch (event) {
    case 'started':
      return { state: state === 'starting' ? 'running' : state, action: 'none' };
    case 'finished':
      return { state: 'stopped', action: 'none' };
    case 'drain':
      if (state === 'forceful-shutdown') return { state: 'stopped', action: 'exit_now' };
      if (state === 'graceful-shutdown') return { state, action: 'repeat_drain' };
      return { state: 'graceful-shutdown', action: 'begin_drain' };
    case 'stop':
      if (state === 'forceful-shutdown') return { state: 'stopped', action: 'exit_now' };
      return { state: 'forceful-shutdown', action: 'abort_jobs' };
    default:
      return unreachable(event);
  }
}
