import { randomInt } from 'node:crypto';

const prefixes = {
  /** Of our own administration API. */
  admin: 'millrace-admin-',
  registration: 'GR1348941',
  /** A runner that an administrator created. */
  created: 'glrt-',
  /** A runner that registered itself. */
  registered: 'glrtr-',
  job: 'glcbt-64_',
};
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const secretLength = 20;

/** A new token in GitLab's form for its kind: prefix and 20 random characters (119 bits). */
export function newSecret(kind: keyof typeof prefixes): string {
  const characters = Array.from({ length: secretLength }, () => alphabet[randomInt(alphabet.length)]);
  return `${prefixes[kind]}${characters.join('')}`;
}
