/** What no header can carry, or what a server would trim before it checks a signature, goes in percent form. */
export function headerText(text: string): string {
  return /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(text) ? text : encodeURIComponent(text);
}
