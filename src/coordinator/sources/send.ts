import type { ServerResponse } from 'node:http';
import type { JsonValue } from '../../lib/json.ts';

export function sendJson(
  response: ServerResponse,
  status: number,
  value: JsonValue,
  contentType = 'application/json',
): void {
  response.writeHead(status, { 'Content-Type': contentType }).end(JSON.stringify(value));
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
}
