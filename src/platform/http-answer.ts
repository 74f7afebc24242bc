import type { HttpResponse } from './http-message.ts';

const longestText = 64 * 1024;

/** The start of an answer's body as text; what comes after is dropped. A body that breaks off counts as it came. */
export async function readAnswerText(response: HttpResponse): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response.body as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= longestText) break;
    }
  } catch {
    // The status is known; the text is only for the log.
  }
  return Buffer.concat(pieces).subarray(0, longestText).toString('utf8');
}

export function headerOf(response: HttpResponse, name: string): string {
  const value = response.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** `404 Not Found` */
export function statusLine(response: HttpResponse): string {
  return `${response.status} ${response.statusText}`.trimEnd();
}

/** Code and message of an error that an object store answers in XML. */
export function parseXmlError(
  contentType: string,
  body: string,
): { readonly code: string; readonly message: string } | undefined {
  if (!/^(application|text)\/xml/i.test(contentType.trim())) return undefined;
  const element = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
  const [code, message] = [element('Code'), element('Message')];
  return code === '' && message === '' ? undefined : { code, message };
}
