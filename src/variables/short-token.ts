export { shortToken } from '../lib/short-token.ts';
