import * as z from 'zod';
import { parseGoDuration } from '../../lib/go-duration.ts';
import { TomlFloat } from '../toml-document.ts';

/** Types of keys in tables that are kept as they are written: every key may be absent. */
export const text = z.string().optional();
export const flag = z.boolean().optional();
export const integer = z.number().optional();
export const decimal = z.union([z.number(), z.instanceof(TomlFloat)], { error: 'expected a number' }).optional();
export const texts = z.array(z.string()).optional();
export const textMap = z.record(z.string(), z.string()).optional();
export const anyTable = z.record(z.string(), z.unknown()).optional();
export const textOrTexts = z
  .union([z.string(), z.array(z.string())], { error: 'expected a text or an array of texts' })
  .optional();
export const decimals = z
  .array(z.union([z.number(), z.instanceof(TomlFloat)], { error: 'expected a number' }))
  .optional();

/** Text in Go syntax, or an integer of nanoseconds. */
export const duration = z
  .union([z.string(), z.number()], { error: 'a duration is a text like "1h30m" or a number of nanoseconds' })
  .refine((value) => typeof value === 'number' || parseGoDuration(value) !== undefined, {
    error: (issue) => `${JSON.stringify(issue.input)} is not a duration; write it like "1h30m" or "90s"`,
  })
  .optional();

/** Entries of an autoscaler: how many instances or pods wait for jobs, and when. */
export const autoscalerPolicy = z
  .array(
    z.object({
      periods: texts,
      timezone: text,
      idle_count: integer,
      idle_time: duration,
      scale_factor: decimal,
      scale_factor_limit: integer,
      preemptive_mode: flag,
    }),
  )
  .optional();
