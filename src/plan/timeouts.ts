import type { RunnerConfig } from '../config/runner-config.ts';
import { parseGoDuration } from '../lib/go-duration.ts';
import type { VariableLookup } from '../variables/lookup.ts';
import type { BuildTimeouts } from './build-plan.ts';

const defaultJobTimeoutSeconds = 7200;
const defaultAfterScriptMs = 5 * 60_000;

export function jobTimeoutSeconds(announced: number): number {
  return announced > 0 ? announced : defaultJobTimeoutSeconds;
}

/** All time limits of a build (spec job-execution.md §7). */
export function buildTimeouts(announcedSeconds: number, runner: RunnerConfig, lookup: VariableLookup): BuildTimeouts {
  const jobMs = jobTimeoutSeconds(announcedSeconds) * 1000;
  const script = readScriptTimeout('RUNNER_SCRIPT_TIMEOUT', jobMs, lookup);
  const afterScript = readScriptTimeout('RUNNER_AFTER_SCRIPT_TIMEOUT', jobMs, lookup);
  return {
    jobMs,
    prepareMs: withinJob(runner.prepareTimeoutMs, jobMs),
    getSourcesMs: withinJob(runner.getSourcesTimeoutMs, jobMs),
    scriptMs: script.milliseconds === jobMs ? undefined : script.milliseconds,
    afterScriptMs: afterScript.milliseconds ?? defaultAfterScriptMs,
    warnings: [...script.warnings, ...afterScript.warnings],
  };
}

function withinJob(configuredMs: number | undefined, jobMs: number): number | undefined {
  return configuredMs === undefined || configuredMs <= 0 || configuredMs > jobMs ? undefined : configuredMs;
}

interface ScriptTimeout {
  readonly milliseconds: number | undefined;
  readonly warnings: readonly string[];
}

function readScriptTimeout(name: string, jobMs: number, lookup: VariableLookup): ScriptTimeout {
  const text = lookup(name) ?? '';
  if (text.trim() === '') return { milliseconds: undefined, warnings: [] };
  const milliseconds = parseGoDuration(text);
  if (milliseconds === undefined) return ignored(`Ignoring malformed ${name} timeout: ${text}`);
  if (milliseconds < 0) return ignored(`Ignoring relative ${name} timeout: ${text}`);
  if (milliseconds === 0) return { milliseconds: undefined, warnings: [] };
  if (milliseconds > jobMs) {
    const warning = `${name} timeout: ${text} is longer than job timeout. Setting to job timeout`;
    return { milliseconds: jobMs, warnings: [warning] };
  }
  return { milliseconds, warnings: [] };
}

function ignored(warning: string): ScriptTimeout {
  return { milliseconds: undefined, warnings: [warning] };
}
