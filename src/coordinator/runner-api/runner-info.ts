import * as z from 'zod';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** The `info` object of a runner manager (spec protocol.md §3), read leniently. */
export const runnerInfoSchema = z
  .object({
    name: text,
    version: text,
    platform: text,
    architecture: text,
    executor: text,
    features: z
      .record(z.string(), z.unknown())
      .nullish()
      .transform((features) =>
        Object.fromEntries(Object.entries(features ?? {}).map(([key, value]) => [key, value === true])),
      ),
  })
  .nullish()
  .transform((info) => info ?? { name: '', version: '', platform: '', architecture: '', executor: '', features: {} });

export type RunnerInfo = z.output<typeof runnerInfoSchema>;
