import type { ApiClient } from '../../../src/gitlab/api-client.ts';
import { createCoordinatorClients } from '../../../src/gitlab/coordinator-clients.ts';
import { runnerInfo } from '../../../src/gitlab/runner-info.ts';
import { abortReasonOf } from '../../../src/lib/abort.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { type RecordedLine, recordingLogger } from '../../support/recording-logger.ts';

export const host = { platform: 'linux', architecture: 'amd64' };
export const info = runnerInfo({ host, executor: { name: 'shell', shell: 'bash', features: ['variables', 'shared'] } });
export const systemId = 's_0123456789ab';
export const never = new AbortController().signal;

export interface ClientFixture {
  readonly client: ApiClient;
  readonly lines: readonly RecordedLine[];
  /** Every wait the client asked its clock for, milliseconds. */
  readonly waits: readonly number[];
}

export interface ClientFixtureOptions {
  readonly token?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly connectionMaxAgeMs?: number;
}

/** A client whose clock waits for nothing and remembers what it was asked to wait for. */
export function clientFor(url: string, options: ClientFixtureOptions = {}): ClientFixture {
  const waits: number[] = [];
  const { logger, lines } = recordingLogger();
  const clock: Clock = {
    now: () => Date.now(),
    sleep: (ms, signal) => {
      waits.push(ms);
      return signal.aborted ? Promise.reject(abortReasonOf(signal)) : Promise.resolve();
    },
  };
  const clients = createCoordinatorClients({
    environment: options.environment ?? {},
    host,
    language: 'node24.0.0',
    clock,
    logger,
    connectionMaxAgeMs: options.connectionMaxAgeMs ?? 0,
  });
  const tls = { caFile: '', certFile: '', keyFile: '', ...options.tls };
  return { client: clients.clientFor({ url, token: options.token ?? 'glrt-t1_runnertoken', tls }), lines, waits };
}

/** The smallest job that runs (spec protocol.md §13.5). */
export function minimalJob(overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    id: 1,
    token: 'jobtoken',
    allow_git_fetch: true,
    job_info: { name: 't', stage: 'test', project_id: 1, project_name: 'p' },
    git_info: {
      repo_url: 'http://gitlab-ci-token:jobtoken@host.test/p.git',
      ref: 'main',
      sha: 'a'.repeat(40),
      before_sha: '0'.repeat(40),
      ref_type: 'branch',
      refspecs: ['+refs/heads/main:refs/remotes/origin/main'],
      depth: 20,
    },
    runner_info: { timeout: 3600 },
    variables: [{ key: 'GIT_STRATEGY', value: 'none', public: true, masked: false }],
    steps: [{ name: 'script', script: ['echo hi'], timeout: 3600, when: 'on_success', allow_failure: false }],
    image: null,
    services: [],
    artifacts: [],
    cache: [],
    credentials: [],
    dependencies: [],
    features: { trace_sections: true, token_mask_prefixes: [], failure_reasons: ['unknown_failure'] },
    ...overrides,
  };
}
