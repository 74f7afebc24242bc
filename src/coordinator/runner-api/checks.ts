import type { IncomingMessage } from 'node:http';
import type { ProtocolNotes } from '../engine/protocol-notes.ts';
import { headerOf } from '../http/body.ts';

const userAgentForm = /^\S+ .+ \(.+; .+; .+\/.+\)$/;
const requestIdForm = /^[0-9a-f]{32}$/;
const systemIdForm = /^[sr]_[0-9a-zA-Z]{12}$/;

/** Notes what every call of a runner should have (spec protocol.md §13.1, row 1). */
export function checkCommonHeaders(request: IncomingMessage, notes: ProtocolNotes): void {
  const userAgent = headerOf(request, 'User-Agent');
  if (!userAgentForm.test(userAgent)) notes.add('user_agent', userAgent);
  const requestId = headerOf(request, 'X-Request-Id');
  if (!requestIdForm.test(requestId)) notes.add('request_id', requestId);
}

/** Notes a body token that is not the header's. */
export function checkTokenHeader(
  request: IncomingMessage,
  name: string,
  bodyToken: string,
  notes: ProtocolNotes,
): void {
  if (headerOf(request, name) !== bodyToken) notes.add('token_header', `${name} differs from the body's token`);
}

export function checkJsonCall(request: IncomingMessage, notes: ProtocolNotes): void {
  const accept = headerOf(request, 'Accept');
  if (!accept.includes('application/json')) notes.add('accept_json', `${request.method} ${request.url}: ${accept}`);
  const contentType = headerOf(request, 'Content-Type');
  if (!contentType.startsWith('application/json')) notes.add('json_content_type', contentType);
}

export function checkSystemId(systemId: string, notes: ProtocolNotes): void {
  if (!systemIdForm.test(systemId)) notes.add('system_id', systemId);
}
