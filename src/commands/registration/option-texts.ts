import { InvalidArgumentError } from 'commander';
import type { TomlValue } from '../../config/edit/toml-text.ts';
import { parseGoDuration } from '../../lib/go-duration.ts';
import { decimalValue, type RunnerOption } from './runner-options.ts';

/**
 * The value of an option, from what was written on the command line or in the environment.
 * @throws InvalidArgumentError
 */
export function optionValue(option: RunnerOption, texts: readonly string[]): TomlValue {
  const last = texts.at(-1) ?? '';
  switch (option.kind) {
    case 'flag':
      return booleanOf(last);
    case 'integer':
      return integerOf(last);
    case 'integers':
      return texts.map(integerOf);
    case 'decimal':
      return decimalOf(last);
    case 'duration':
      return durationOf(last);
    case 'list':
      return option.path.at(-1) === 'pull_policy' ? texts.flatMap((text) => text.split(',')) : texts;
    case 'map':
      return mapOf(option, texts);
    case 'json':
      return jsonOf(last);
    case 'text':
      return last;
  }
}

export function booleanOf(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw new InvalidArgumentError('It must be true or false.');
}

function integerOf(text: string): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number.');
  }
  return value;
}

function decimalOf(text: string): TomlValue {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It must be a number.');
  return decimalValue(value);
}

function durationOf(text: string): string {
  if (parseGoDuration(text) === undefined) throw new InvalidArgumentError('It must be a duration, like 90s or 1h30m.');
  return text;
}

/** `key:value`; the first `:` splits. */
function mapOf(option: RunnerOption, texts: readonly string[]): TomlValue {
  const entries: Record<string, TomlValue> = {};
  for (const text of texts) {
    const [, key = '', value = ''] = /^([^:]*):?([^]*)$/.exec(text) ?? [];
    const known = entries[key];
    if (option.valueKind === 'list') entries[key] = [...(Array.isArray(known) ? known : []), value];
    else if (option.valueKind === 'flag') entries[key] = booleanOf(value);
    else entries[key] = option.valueKind === 'integer' ? integerOf(value) : value;
  }
  return entries;
}

function jsonOf(text: string): TomlValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It must be JSON.');
  }
  if (!Array.isArray(value)) throw new InvalidArgumentError('It must be a JSON array.');
  return value as TomlValue;
}
