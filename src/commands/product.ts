import { compatibility } from '../gitlab/compatibility.ts';

/** Set by the build; sources run as they are have no revision of their own. */
declare const MILLRACE_REVISION: string | undefined;

/** Our own name and version, for people; servers are told the compatible release (`gitlab/compatibility.ts`). */
export const product = {
  name: 'millrace',
  version: '0.1.0',
  revision: typeof MILLRACE_REVISION === 'string' ? MILLRACE_REVISION : 'development',
} as const;

/** How a trace's first line names the program. */
export const productLine =
  `${product.name} ${product.version} (${product.revision}), ` +
  `compatible with ${compatibility.name} ${compatibility.version}`;
