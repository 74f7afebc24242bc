import type { EmbeddedOverrides, RunnerConfig, TlsFiles } from './runner-config.ts';
import { configSchema } from './schema.ts';
import { toRunnerConfig } from './to-manager-config.ts';

export interface EmbeddedRunnerSettings {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly systemId: string;
  readonly executor: string;
  readonly buildsDir?: string;
  readonly cacheDir?: string;
  readonly requestConcurrency?: number;
  readonly outputLimitKib?: number;
  readonly tls?: TlsFiles;
  readonly embedded?: EmbeddedOverrides;
}

/** A runner that stands in no file: every other setting has the default that config.toml would give it. */
export function embeddedRunner(settings: EmbeddedRunnerSettings): RunnerConfig {
  const [runner] = configSchema.parse({
    runners: [
      {
        name: settings.name,
        executor: settings.executor,
        builds_dir: settings.buildsDir,
        cache_dir: settings.cacheDir,
        request_concurrency: settings.requestConcurrency,
        output_limit: settings.outputLimitKib,
      },
    ],
  }).runners;
  if (runner === undefined) throw new Error('the schema lost a runner');
  const { url, token, systemId, tls = { caFile: '', certFile: '', keyFile: '' }, embedded = {} } = settings;
  return { ...toRunnerConfig(runner, { url, token, systemId, labels: {}, tls }), embedded };
}
