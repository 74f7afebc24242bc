import type { RunnerConfig } from './runner-config.ts';

/** config.toml as the runner manager uses it: parsed, defaulted and frozen. */
export interface ManagerConfig {
  /** Jobs that may run at once. */
  readonly concurrent: number;
  /** Time between two job requests of one runner. */
  readonly checkIntervalMs: number;
  /** Undefined = not set here. */
  readonly logLevel: string | undefined;
  readonly logFormat: string | undefined;
  /** Account that shell scripts run as; empty = the manager's own. */
  readonly user: string;
  /** Of the metrics server; empty = none. */
  readonly listenAddress: string;
  readonly sentryDsn: string;
  /** 0 = connections are kept. */
  readonly connectionMaxAgeMs: number;
  /** How long a forceful shutdown waits for jobs. */
  readonly shutdownTimeoutMs: number;
  readonly sessionServer: SessionServerConfig;
  /** Tables that their feature reads itself. */
  readonly sections: Readonly<Record<string, unknown>>;
  /** In the order of the file. */
  readonly runners: readonly RunnerConfig[];
}

export interface SessionServerConfig {
  readonly listenAddress: string;
  readonly advertiseAddress: string;
  readonly sessionTimeoutMs: number;
}
