import { MillraceError, type MillraceErrorOptions } from '../../lib/errors.ts';

/** A request cannot be granted; the message is the answer's. */
export class RequestError extends MillraceError {
  readonly code = 'request_refused';
  readonly status: number;

  constructor(status: number, message: string, options: MillraceErrorOptions = {}) {
    super(message, options);
    this.status = status;
  }
}
