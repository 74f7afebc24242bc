import * as z from 'zod';

/**
 * Lets schemas that are made from now on check values as they are: zod would compile each to a function of its own at
 * its first use, which pays only for a program that runs for long.
 */
export function preferQuickSchemas(): void {
  z.config({ jitless: true });
}
