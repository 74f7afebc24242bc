import * as z from 'zod';
import type { JsonValue } from '../../../lib/json.ts';
import type { LogOffsets } from './container-output.ts';

/** What is journalled of a stage before it is started. */
export interface StageHandle {
  readonly container: string;
  /** Where its output begins. */
  readonly offsets: LogOffsets;
  /** Of the build container: when it was started last, before this stage; empty = never. */
  readonly startedBefore: string;
  /** Of the helper: the stage's name in its marks. */
  readonly stage: string;
}

const schema = z.object({
  container: z.string(),
  stdout: z.int().nonnegative(),
  stderr: z.int().nonnegative(),
  startedBefore: z.string().default(''),
  stage: z.string().default(''),
});

export function parseStageHandle(value: JsonValue): StageHandle {
  const { container, stdout, stderr, startedBefore, stage } = schema.parse(value);
  return { container, offsets: { stdout, stderr }, startedBefore, stage };
}

export function stageHandleValue({ container, offsets, startedBefore, stage }: StageHandle): JsonValue {
  return { container, ...offsets, startedBefore, stage };
}
