import { ExternalDependencyError } from '../lib/errors.ts';

/** The object is not there (any more). */
export class ObjectNotFoundError extends ExternalDependencyError {
  constructor(message: string = 'file does not exist') {
    super(message);
  }
}

/** The object was replaced while it was read: what was read so far belongs to another one. */
export class ObjectChangedError extends ExternalDependencyError {
  constructor(message: string = 'the object changed while it was downloaded') {
    super(message, { retryable: true });
  }
}
