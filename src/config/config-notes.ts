import { shortToken } from '../lib/short-token.ts';
import type { LogFields } from '../observability/logger.ts';
import type { LoadedConfig } from './load-config.ts';
import type { RunnerConfig } from './runner-config.ts';

/** Something about a configuration that works but that its owner should know. */
export interface ConfigNote {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: LogFields;
}

const SHELLS = ['', 'bash', 'sh', 'cmd', 'pwsh', 'powershell'];

/** Settings of a runner that nothing reads yet. */
const unusedSections = ['referees', 'monitoring', 'experimental', 'slot_cgroups'];
const unusedFlags = ['FF_USE_JOB_ROUTER', 'FF_RESOLVE_FULL_TLS_CHAIN'];

/** What is logged after a load; includes every setting that this version does not act on. */
export function configNotes(loaded: LoadedConfig): readonly ConfigNote[] {
  const { config } = loaded;
  return [
    ...loaded.warnings,
    ...when(!loaded.exists, 'The config file does not exist: no runner is served', { path: loaded.path }),
    ...when(
      loaded.exists && config.runners.length === 0,
      'The config file has no [[runners]] entry: no runner is served',
      { path: loaded.path },
    ),
    ...when(config.listenAddress !== '', 'listen_address is set, but this version serves no metrics', {
      listen_address: config.listenAddress,
    }),
    ...when(config.sessionServer.listenAddress !== '', '[session_server] is set, but this version has no sessions'),
    ...when(config.sentryDsn !== '', 'sentry_dsn is set, but this version reports nothing to Sentry'),
    ...when('experimental' in config.sections, 'The [experimental] table has no effect in this version'),
    ...config.runners.flatMap(runnerNotes),
  ];
}

function runnerNotes(runner: RunnerConfig): readonly ConfigNote[] {
  const fields = { runner: shortToken(runner.token), runner_name: runner.name };
  return [
    ...when(runner.token.trim() === '', 'A runner without a token is not served', fields),
    ...when(runner.url === '', 'A runner without a url is not served', fields),
    ...when(/\/ci\/*$/.test(runner.url), 'The /ci at the end of a url is not needed any more: remove it', fields),
    ...when(!SHELLS.includes(runner.shell), 'A runner names a shell that is not known', {
      ...fields,
      shell: runner.shell,
    }),
    ...when(runner.proxyExec === true, 'proxy_exec has no effect in this version', fields),
    ...unusedSections.flatMap((name) =>
      when(name in (runner.sections ?? {}), 'A table of a runner has no effect in this version', {
        ...fields,
        table: name,
      }),
    ),
    ...unusedFlags.flatMap((flag) =>
      when(runner.featureFlags[flag] === true, 'A feature flag has no effect in this version', { ...fields, flag }),
    ),
    ...when(runner.tokenExpiresAt !== undefined, 'A token expires and this version does not renew it', {
      ...fields,
      expires_at: runner.tokenExpiresAt?.toISOString(),
    }),
  ];
}

function when(isSo: boolean, message: string, fields: LogFields = {}): readonly ConfigNote[] {
  return isSo ? [{ level: 'warn', message, fields }] : [];
}
