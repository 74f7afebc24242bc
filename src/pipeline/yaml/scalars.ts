import type { ScalarType } from './nodes.ts';

export type ResolvedScalar =
  | { readonly type: ScalarType; readonly text: string }
  /** GitLab's loader refuses dates; people must quote them. */
  | { readonly type: 'date' };

const WORDS: ReadonlyMap<string, ResolvedScalar> = new Map([
  ['', { type: 'null', text: '' }],
  ['~', { type: 'null', text: '' }],
  ['null', { type: 'null', text: '' }],
  ['yes', { type: 'boolean', text: 'true' }],
  ['true', { type: 'boolean', text: 'true' }],
  ['on', { type: 'boolean', text: 'true' }],
  ['no', { type: 'boolean', text: 'false' }],
  ['false', { type: 'boolean', text: 'false' }],
  ['off', { type: 'boolean', text: 'false' }],
]);
const DATE = /^\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d)$/;
const TIME = /^-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}$/;
const BASE_60_FLOAT = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}\.[0-9_]*$/;
const FLOAT = /^[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?$/;
const DECIMAL = /^[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)$/;
const OTHER_BASES = /^[-+]?0(?:[0-7_,]+|[xX][0-9a-fA-F_,]+|[bB][01_,]+)$/;
const LONGEST_WORD = 5;

/**
 * What an unquoted scalar means in the YAML 1.1 dialect of GitLab's loader (spec local-pipeline.md §1.1).
 */
export function resolvePlainScalar(text: string): ResolvedScalar {
  if (text.length <= LONGEST_WORD) {
    const word = WORDS.get(text.toLowerCase());
    if (word !== undefined) return word;
  }
  if (!mayBeNumber(text)) return { type: 'string', text };
  if (DATE.test(text) || TIME.test(text)) return { type: 'date' };
  const special = specialFloat(text);
  if (special !== undefined) return { type: 'float', text: special };
  if (BASE_60.test(text)) return { type: 'integer', text: base60(text) };
  if (BASE_60_FLOAT.test(text)) return { type: 'float', text: floatText(Number(base60(text))) };
  if (FLOAT.test(text) && /\d/.test(text))
    return { type: 'float', text: floatText(Number(text.replaceAll(/[,_]/g, ''))) };
  if (DECIMAL.test(text) || OTHER_BASES.test(text)) return integerOrText(text);
  return { type: 'string', text };
}

/** A float as Ruby writes it: always with a fraction, exponents only for very large and very small ones. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e');
    const digits = exponent.slice(1).padStart(2, '0');
    return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}e${exponent.startsWith('-') ? '-' : '+'}${digits}`;
  }
  const plain = String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

function mayBeNumber(text: string): boolean {
  const first = text.charCodeAt(0);
  // digits, `+`, `-` and `.`
  return (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
}

function specialFloat(text: string): string | undefined {
  switch (text.toLowerCase()) {
    case '.inf':
    case '+.inf':
      return 'Infinity';
    case '-.inf':
      return '-Infinity';
    case '.nan':
      return 'NaN';
    default:
      return undefined;
  }
}

function base60(text: string): string {
  const negative = text.startsWith('-');
  const parts = text.replace(/^[-+]/, '').replaceAll('_', '').split(':');
  const total = parts.reduce((sum, part) => sum * 60 + Number(part), 0);
  return String(negative ? -total : total);
}

function integerOrText(text: string): ResolvedScalar {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '').replaceAll(/[,_]/g, '');
  const literal = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase();
  if (/^0[xb]?$/.test(literal) && literal !== '0') return { type: 'string', text };
  const value = BigInt(literal);
  return { type: 'integer', text: String(negative ? -value : value) };
}
