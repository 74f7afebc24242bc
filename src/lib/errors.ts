import type { JsonValue } from './json.ts';
import { redactUrlCredentials } from './redact.ts';

/** What an error carries beside its message. `details` must be safe to log. */
export interface MillraceErrorOptions {
  readonly cause?: unknown;
  /** What the user can do about it. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, JsonValue>>;
  readonly retryable?: boolean;
}

/**
 * Root of every error the product throws on purpose; bugs stay plain `Error`.
 * Credentials in URLs are cut out of the message here, once.
 */
export abstract class MillraceError extends Error {
  /** Stable, listed in docs/errors.md. */
  abstract readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, JsonValue>>;
  readonly retryable: boolean;

  constructor(message: string, options: MillraceErrorOptions = {}) {
    super(redactUrlCredentials(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }
}

/** config.toml or a command's options cannot be used. */
export class ConfigError extends MillraceError {
  readonly code = 'config_invalid';
}

export type ApiErrorKind = 'unreachable' | 'rejected' | 'forbidden' | 'conflict' | 'rate_limited' | 'protocol';

/** Talking to a coordinator failed. The retry policy decides by `kind`. */
export class ApiError extends MillraceError {
  readonly code = 'api_error';
  readonly kind: ApiErrorKind;
  /** HTTP status, where an answer came. */
  readonly status: number | undefined;

  constructor(kind: ApiErrorKind, message: string, options: MillraceErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.kind = kind;
    this.status = options.status;
  }
}

/** The job cannot run as it is written or configured. */
export class JobConfigurationError extends MillraceError {
  readonly code = 'job_configuration';
}

/** The environment of a job could not be made ready. */
export class PrepareError extends MillraceError {
  readonly code = 'prepare_failed';
}

/** An image could not be pulled. */
export class ImagePullError extends MillraceError {
  readonly code = 'image_pull_failed';
}

/** A git host, registry or other service that is not ours failed. */
export class ExternalDependencyError extends MillraceError {
  readonly code = 'external_dependency';
}

/** The pod, machine, process or connection of a running job vanished. */
export class EnvironmentLostError extends MillraceError {
  readonly code = 'environment_lost';
}

export type DaemonErrorKind = 'unreachable' | 'not_found' | 'conflict' | 'invalid' | 'failed' | 'protocol';

/** A container daemon refused a call or cannot be reached. What it means for a job is said by the one who called. */
export class DaemonError extends MillraceError {
  readonly code = 'daemon_error';
  readonly kind: DaemonErrorKind;
  /** HTTP status, where an answer came. */
  readonly status: number | undefined;

  constructor(
    kind: DaemonErrorKind,
    message: string,
    options: MillraceErrorOptions & { readonly status?: number } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.status = options.status;
  }
}

/** A file of the journal or trace could not be written or read (disk full, permissions, damage). */
export class StorageError extends MillraceError {
  readonly code = 'storage';
}

/** One thing that is wrong in a `.gitlab-ci.yml` or a file it includes. */
export interface PipelineProblem {
  readonly message: string;
  /** Path relative to the top of the work tree. */
  readonly file: string;
  /** From 1; 0 = the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** What the user can do about it, where that is not obvious. */
  readonly hint?: string;
}

/** A `.gitlab-ci.yml` cannot be run as it is written. */
export class PipelineError extends MillraceError {
  readonly code = 'pipeline_invalid';
  /** All that is wrong, in order of the files and lines; empty where the error is about no place in a file. */
  readonly problems: readonly PipelineProblem[];

  constructor(
    message: string,
    options: MillraceErrorOptions & { readonly problems?: readonly PipelineProblem[] } = {},
  ) {
    super(message, options);
    this.problems = options.problems ?? [];
  }
}

/** A command was called wrongly, or cannot do what it was asked. */
export class CommandError extends MillraceError {
  readonly code = 'command_failed';
  readonly exitCode: number;

  constructor(message: string, options: MillraceErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The message of anything that was thrown, without its stack. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of an error (`ENOENT`, `ECONNRESET`), if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}
