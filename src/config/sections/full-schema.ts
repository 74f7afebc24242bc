import * as z from 'zod';
import { configSchema, runnerSchema } from '../schema.ts';
import { globalSectionKeys, runnerSectionKeys } from './section-keys.ts';

/**
 * The schema of config.toml with the keys of every table, also of those that `configSchema` keeps as they are written:
 * what unknown keys, wrong types, and the options of `register` are told by.
 */
export const fullRunnerSchema = z.object({ ...runnerSchema.shape, ...optional(runnerSectionKeys) });

export const fullConfigSchema = z.object({
  ...configSchema.shape,
  ...optional(globalSectionKeys),
  runners: z.array(fullRunnerSchema).default([]),
});

function optional(tables: Readonly<Record<string, z.ZodObject>>): Record<string, z.ZodOptional<z.ZodObject>> {
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.optional()]));
}
