import * as z from 'zod';
import { ExternalDependencyError } from '../../lib/errors.ts';

export interface AccessToken {
  readonly text: string;
  readonly expiresAtMs: number;
}

const answerSchema = z.object({
  access_token: z.string().min(1),
  // Azure's metadata service writes the number as text.
  expires_in: z.coerce.number().default(300),
});

/** An OAuth server's answer. @throws ExternalDependencyError for anything else. */
export function parseToken(text: string, what: string, nowMs: number): AccessToken {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const answer = answerSchema.safeParse(value).data;
  if (answer === undefined) throw new ExternalDependencyError(`cannot ${what}: the answer holds no token`);
  return { text: answer.access_token, expiresAtMs: nowMs + answer.expires_in * 1000 };
}

const renewBeforeMs = 2 * 60_000;

/** `ask`, asked anew only when the token it gave is about to expire. */
export function keepToken(
  now: () => number,
  ask: (signal: AbortSignal) => Promise<AccessToken>,
): (signal: AbortSignal) => Promise<string> {
  let known: AccessToken | undefined;
  return async (signal) => {
    if (known === undefined || known.expiresAtMs - renewBeforeMs <= now()) known = await ask(signal);
    return known.text;
  };
}
