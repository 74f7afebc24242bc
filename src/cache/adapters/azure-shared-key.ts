export interface SharedKeyRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body, in bytes. */
  readonly length: number;
}

const standardHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
];

/** What a request is signed over with the account's key ("Authorize with Shared Key", blob service). */
export function sharedKeyText({ method, url, headers, length }: SharedKeyRequest, account: string): string {
  const lowered = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]));
  lowered.set('content-length', length === 0 ? '' : String(length));
  const standard = standardHeaders.map((name) => lowered.get(name) ?? '');
  const own = [...lowered]
    .filter(([name]) => name.startsWith('x-ms-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}`);
  const query = [...url.searchParams]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `\n${name}:${value}`)
    .join('');
  return [method, ...standard, ...own, `/${account}${url.pathname}${query}`].join('\n');
}
