/** A plain JSON value: what may be journalled, sent and compared. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
