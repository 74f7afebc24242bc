import * as z from 'zod';
import type { JsonValue } from '../../../lib/json.ts';

/** What is journalled of an environment before any of it is made: enough to find and to remove all of it. */
export interface EnvironmentHandle {
  /** Makes the names of this environment's things its own. */
  readonly suffix: string;
  /** Begins the lines by which the helper says where stages begin and end. */
  readonly mark: string;
  /** Containers, by name. */
  readonly containers: readonly string[];
  /** Volumes that go with the job. */
  readonly temporaryVolumes: readonly string[];
  /** Network that goes with the job; empty = none. */
  readonly network: string;
}

const names = z.array(z.string());
const schema = z.object({
  suffix: z.string().min(1),
  mark: z.string().min(1),
  containers: names,
  temporaryVolumes: names,
  network: z.string(),
});

export function parseEnvironmentHandle(value: JsonValue): EnvironmentHandle {
  return schema.parse(value);
}

export function environmentHandleValue(handle: EnvironmentHandle): JsonValue {
  return { ...handle, containers: [...handle.containers], temporaryVolumes: [...handle.temporaryVolumes] };
}
