import * as z from 'zod';
import { CommandError, errorMessage } from '../../lib/errors.ts';

export const faultEndpoints = [
  'register',
  'verify',
  'job_request',
  'job_update',
  'trace',
  'artifacts_upload',
  'artifacts_download',
] as const;
export type FaultEndpoint = (typeof faultEndpoints)[number];

const common = {
  endpoint: z.enum(faultEndpoints),
  /** Share of requests that are hit. */
  rate: z.number().min(0).max(1).default(1),
  /** No more than this many hits. */
  max_count: z.number().int().positive().optional(),
  /** The first so many requests of the endpoint pass untouched. */
  skip_first: z.number().int().nonnegative().default(0),
};

/** `before`: nothing was done; `after`: the coordinator did the work and the client does not hear of it. */
const moment = z.enum(['before', 'after']).default('before');

export const faultRuleSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('status'),
    when: moment,
    status: z.number().int().min(200).max(599),
    retry_after_seconds: z.number().int().positive().optional(),
    /** Sent as the date of `RateLimit-ResetTime`, so many seconds from now. */
    rate_limit_reset_in_seconds: z.number().int().positive().optional(),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  z.strictObject({ ...common, kind: z.literal('delay'), delay_ms: z.number().int().positive() }),
  z.strictObject({ ...common, kind: z.literal('reset'), when: moment }),
  /** The answer to work that was done stops in the middle. */
  z.strictObject({ ...common, kind: z.literal('truncate') }),
]);

export type FaultRule = z.output<typeof faultRuleSchema>;
export type FaultRuleInput = z.input<typeof faultRuleSchema>;

/**
 * Reads the file of `--inject-faults`: a JSON list of rules, or `{"rules": [...], "seed": 1}`.
 * @throws CommandError
 */
export function parseFaultRules(text: string): { readonly rules: readonly FaultRule[]; readonly seed: number } {
  const schema = z.union([
    z.array(faultRuleSchema).transform((rules) => ({ rules, seed: 1 })),
    z.strictObject({ rules: z.array(faultRuleSchema), seed: z.number().int().default(1) }),
  ]);
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : errorMessage(error);
    throw new CommandError(`The fault rules cannot be used: ${detail}`, { cause: error });
  }
}
