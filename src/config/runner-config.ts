import type { DockerConfig } from './docker-schema.ts';

/** The parts of config.toml that planning and running a job read; parsed, defaulted and frozen by `config`. */
export interface RunnerConfig {
  readonly name: string;
  /** Base URL of the coordinator as configured. */
  readonly url: string;
  readonly token: string;
  readonly id: number;
  readonly systemId: string;
  readonly executor: string;
  readonly shell: string;
  readonly limit: number;
  readonly requestConcurrency: number;
  readonly strictCheckInterval: boolean;
  readonly unhealthyRequestsLimit: number;
  readonly unhealthyIntervalMs: number;
  readonly jobStatusFinalUpdateRetryLimit: number;
  /** Bytes of trace kept of a job. */
  readonly outputLimitBytes: number;
  readonly buildsDir: string;
  readonly cacheDir: string;
  readonly cloneUrl: string;
  /** `KEY=VALUE` entries. */
  readonly environment: readonly string[];
  readonly preGetSourcesScript: string;
  readonly postGetSourcesScript: string;
  readonly preBuildScript: string;
  readonly postBuildScript: string;
  /** Milliseconds; undefined = the job's timeout. */
  readonly prepareTimeoutMs: number | undefined;
  readonly getSourcesTimeoutMs: number | undefined;
  readonly debugTraceDisabled: boolean;
  readonly safeDirectoryCheckout: boolean | undefined;
  readonly cleanGitConfig: boolean | undefined;
  readonly customBuildDirEnabled: boolean | undefined;
  readonly featureFlags: Readonly<Record<string, boolean>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly tls: TlsFiles;
  readonly artifact: { readonly uploadTimeoutMs: number; readonly responseHeaderTimeoutMs: number };
  readonly cache: {
    readonly type: string;
    readonly path: string;
    readonly shared: boolean;
    readonly maxUploadedArchiveSize: number;
    /** Stores of caches; absent = the table is not there. */
    readonly s3?: CacheS3Settings | undefined;
    readonly gcs?: CacheGcsSettings | undefined;
    readonly azure?: CacheAzureSettings | undefined;
  };
  /** Where `token` came from; absent = a text in the file. */
  readonly tokenSource?: TokenSource;
  /** When the token was given, and when it stops working; undefined = unknown, never. */
  readonly tokenObtainedAt?: Date | undefined;
  readonly tokenExpiresAt?: Date | undefined;
  /** Stage scripts run through the helper's `proxy-exec`. */
  readonly proxyExec?: boolean;
  /** `[runners.docker]`; undefined = there is none. */
  readonly docker?: DockerConfig | undefined;
  /** Tables that their executor or feature reads itself (`docker`, `kubernetes`, …), as written. */
  readonly sections?: Readonly<Record<string, unknown>>;
  /** Values that only an embedding program sets; never read from config.toml. */
  readonly embedded: EmbeddedOverrides;
}

/** Decides where a new token can be stored: what comes from the environment cannot be changed. */
export type TokenSource =
  | { readonly kind: 'literal' }
  | { readonly kind: 'environment' }
  | { readonly kind: 'file'; readonly path: string };

export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** `[runners.cache.s3]`; empty texts mean "not set". */
export interface CacheS3Settings {
  readonly serverAddress: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken: string;
  readonly bucketName: string;
  readonly bucketLocation: string;
  readonly insecure: boolean;
  readonly authenticationType: string;
  readonly serverSideEncryption: string;
  readonly serverSideEncryptionKeyId: string;
  readonly dualStack: boolean;
  /** undefined = as the host needs it. */
  readonly pathStyle: boolean | undefined;
  readonly accelerate: boolean;
  readonly roleArn: string;
  readonly uploadRoleArn: string;
  readonly assumeRoleMaxConcurrency: number;
  readonly disableAssumeRoleCredentialsCaching: boolean;
}

/** `[runners.cache.gcs]` */
export interface CacheGcsSettings {
  readonly accessId: string;
  readonly privateKey: string;
  readonly credentialsFile: string;
  readonly bucketName: string;
  readonly universeDomain: string;
}

/** `[runners.cache.azure]` */
export interface CacheAzureSettings {
  readonly accountName: string;
  readonly accountKey: string;
  readonly containerName: string;
  readonly storageDomain: string;
}

export interface EmbeddedOverrides {
  /** First interval between two trace updates; the server's header replaces it. Default 3000. */
  readonly traceUpdateIntervalMs?: number;
  /** Longest time in which the server hears nothing of a running job; its answers bring a cancel. Default 30000. */
  readonly signOfLifeIntervalMs?: number;
}
