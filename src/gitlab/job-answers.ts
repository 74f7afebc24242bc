/** What an answer to a job update means (spec protocol.md §2.6). */
export type UpdateState = 'ok' | 'accepted_not_completed' | 'trace_invalid' | 'aborted' | 'failed';
/** What an answer to a piece of trace means (spec protocol.md §2.7). */
export type PatchState = 'ok' | 'aborted' | 'not_found' | 'range_mismatch' | 'failed';

/** Decides by status and `Job-Status`; the first match wins. */
export function updateStateOf(status: number, remoteStatus: string): UpdateState {
  if (isEnded(remoteStatus) || status === 403) return 'aborted';
  switch (status) {
    case 200:
      return 'ok';
    case 202:
      return 'accepted_not_completed';
    case 412:
      return 'trace_invalid';
    case 404:
      return 'aborted';
    default:
      return 'failed';
  }
}

export function patchStateOf(status: number, remoteStatus: string): PatchState {
  if (isEnded(remoteStatus) || status === 403) return 'aborted';
  switch (status) {
    case 202:
      return 'ok';
    case 404:
      return 'not_found';
    case 416:
      return 'range_mismatch';
    default:
      return 'failed';
  }
}

export function isCancelRequest(remoteStatus: string): boolean {
  return remoteStatus === 'canceling';
}

/** Size the server holds, from `Range: 0-<size>` of a 416; 0 when it does not say. */
export function storedSizeOf(rangeHeader: string): number {
  const match = /^\s*\d+-(\d+)\s*$/.exec(rangeHeader);
  const size = Number(match?.[1] ?? '0');
  return Number.isSafeInteger(size) ? size : 0;
}

/** Milliseconds of `X-GitLab-Trace-Update-Interval`; undefined = none named, `invalid` = not a number. */
export function updateIntervalOf(header: string): number | undefined | 'invalid' {
  if (header === '') return undefined;
  if (!/^[+-]?\d+$/.test(header.trim())) return 'invalid';
  const seconds = Number(header);
  return seconds > 0 ? seconds * 1000 : undefined;
}

function isEnded(remoteStatus: string): boolean {
  return remoteStatus === 'canceled' || remoteStatus === 'failed';
}
