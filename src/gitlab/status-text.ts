import { STATUS_CODES } from 'node:http';
import * as z from 'zod';

const errorBody = z.object({
  message: z
    .union([z.string(), z.record(z.string(), z.array(z.string()))])
    .optional()
    .catch(undefined),
});

export interface AnswerText {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The text of an answer as the runner's log shows it (spec protocol.md §1.6). */
export function statusText(answer: AnswerText): string {
  const plain = `${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trimEnd();
  if (answer.status >= 200 && answer.status < 300) return plain;
  if (!isJson(answer.contentType)) return plain;
  const { origin, pathname } = answer.url;
  const line = `${answer.method} ${origin}${pathname}: ${plain}`;
  const message = messageOf(answer.body);
  return message === '' || message === plain ? line : `${line} (${message})`;
}

export function isJson(contentType: string): boolean {
  return contentType.split(';')[0]?.trim().toLowerCase() === 'application/json';
}

function messageOf(body: string): string {
  const message = errorBody.safeParse(parseJson(body)).data?.message;
  if (message === undefined) return '';
  if (typeof message === 'string') return message;
  return Object.entries(message)
    .map(([key, values]) => `${key}: ${values.join('; ')}`)
    .join(', ');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
