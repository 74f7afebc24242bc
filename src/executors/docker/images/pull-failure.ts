import {
  DaemonError,
  ExternalDependencyError,
  errorMessage,
  ImagePullError,
  JobConfigurationError,
  type MillraceError,
} from '../../../lib/errors.ts';

const externalSigns = [
  'dial tcp',
  'connection refused',
  'no such host',
  'i/o timeout',
  'tls handshake',
  'client.timeout exceeded',
  'request canceled',
  'connection reset',
];

const configurationSigns = [
  'not found',
  'manifest unknown',
  'pull access denied',
  'access to the resource is denied',
  'no basic auth credentials',
  'repository does not exist or may require',
  'unauthorized',
  'authentication required',
];

/** What the daemon's words about a failed pull mean for the job (spec docker.md §7.3). */
export function pullFailure(error: unknown): MillraceError {
  if (error instanceof DaemonError && error.kind === 'unreachable') return error;
  if (isClassified(error)) return error;
  const message = errorMessage(error);
  const lowered = message.toLowerCase();
  const holds = (signs: readonly string[]): boolean => signs.some((sign) => lowered.includes(sign));
  if (holds(externalSigns)) return new ExternalDependencyError(message, { cause: error, retryable: true });
  if (holds(configurationSigns)) return new JobConfigurationError(message, { cause: error });
  return new ImagePullError(message, { cause: error });
}

/** The same kind of failure with a longer message. */
export function withMessage(failure: MillraceError, message: string): MillraceError {
  const options = { cause: failure, retryable: failure.retryable };
  if (failure instanceof ExternalDependencyError) return new ExternalDependencyError(message, options);
  if (failure instanceof JobConfigurationError) return new JobConfigurationError(message, options);
  if (failure instanceof DaemonError) {
    const { kind, status } = failure;
    return new DaemonError(kind, message, status === undefined ? options : { ...options, status });
  }
  return new ImagePullError(message, options);
}

function isClassified(error: unknown): error is MillraceError {
  return (
    error instanceof ExternalDependencyError ||
    error instanceof JobConfigurationError ||
    error instanceof ImagePullError
  );
}
