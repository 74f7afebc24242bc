const CREDENTIALS_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]+@/gi;

/** Cuts user name and password out of every URL in a text. */
export function redactUrlCredentials(text: string): string {
  return text.replace(CREDENTIALS_IN_URL, '$1');
}
