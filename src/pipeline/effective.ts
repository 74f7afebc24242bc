import type { JsonValue } from '../lib/json.ts';
import type { PipelineConfig } from './configuration.ts';
import { toPlain } from './yaml/nodes.ts';

/**
 * The configuration as it counts, as plain data: everything included, extended and referenced, defaults filled in,
 * hidden jobs left out, variables as written.
 */
export function effectiveConfiguration(config: PipelineConfig): Readonly<Record<string, JsonValue>> {
  const result: Record<string, JsonValue> = { stages: config.stages };
  for (const key of ['workflow', 'variables']) {
    const node = config.node.entries.get(key)?.value;
    if (node !== undefined) result[key] = toPlain(node);
  }
  for (const job of config.jobs) result[job.name] = toPlain(job.node);
  return result;
}
