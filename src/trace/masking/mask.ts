/** What stands for a masked text. */
export const MASK: Uint8Array = Buffer.from('[MASKED]');
