import { AbortReason } from '../../lib/abort.ts';
import { ApiError, CommandError, errorMessage, MillraceError, systemErrorCode } from '../../lib/errors.ts';

/**
 * A coordinator's address as requests begin with it: without `/` at the end.
 * @throws CommandError
 */
export function checkedCoordinatorUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/+$/, '');
  throw new CommandError(`--coordinator ${text} is not the address of a server`, {
    exitCode: 2,
    hint: 'Write it like http://127.0.0.1:8090.',
  });
}

/** A failure of the transport, said so that the user knows which server it was. What is clear already stays as it is. */
export function unreachableCoordinator(url: string, error: unknown): unknown {
  if (error instanceof AbortReason) return error;
  if (error instanceof MillraceError && !(error instanceof ApiError && error.kind === 'unreachable')) return error;
  const reason = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const first = reason instanceof AggregateError ? (reason.errors[0] as unknown) : reason;
  return new ApiError('unreachable', `cannot reach the coordinator at ${url}: ${lossOf(errorMessage(first))}`, {
    cause: error,
    retryable: true,
    ...(isUntrusted(first) ? { hint: 'Name the authority of its certificate with --tls-ca-file.' } : {}),
  });
}

/** What OpenSSL says of a certificate whose authority is not known. */
function isUntrusted(error: unknown): boolean {
  return /LEAF_SIGNATURE|ISSUER_CERT|SELF_SIGNED/.test(systemErrorCode(error) ?? '');
}

/** Node's words for a connection that ended in the middle of an answer say nothing to users. */
function lossOf(message: string): string {
  const isLost = message === 'aborted' || message === 'socket hang up' || message === 'terminated';
  // What Node adds is advice for those who start Node themselves.
  return isLost ? 'the connection was lost' : message.replace(/; if the root CA is installed locally.*$/, '');
}

/** An answer that no coordinator gives: most likely the address is that of another server. */
export function notACoordinator(url: string, cause: unknown): CommandError {
  return new CommandError(`the server at ${url} does not answer like a coordinator`, {
    exitCode: 2,
    cause,
    hint: 'Give the address that "millrace coordinator" prints when it starts.',
  });
}
