const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const MONTH = 30 * DAY;
const YEAR = 365.25 * DAY;

const UNITS: ReadonlyMap<string, number> = new Map([
  ...units(1, 's', 'sec', 'secs', 'second', 'seconds'),
  ...units(MINUTE, 'm', 'min', 'mins', 'minute', 'minutes'),
  ...units(HOUR, 'h', 'hr', 'hrs', 'hour', 'hours'),
  ...units(DAY, 'd', 'dy', 'day', 'days'),
  ...units(WEEK, 'w', 'wk', 'wks', 'week', 'weeks'),
  ...units(MONTH, 'mo', 'mos', 'mth', 'mths', 'month', 'months'),
  ...units(YEAR, 'y', 'yr', 'yrs', 'year', 'years'),
]);

const NUMBER_WORDS: ReadonlyMap<string, number> = new Map(
  [
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen',
    'eighteen nineteen twenty',
  ]
    .join(' ')
    .split(' ')
    .map((word, value): [string, number] => [word, value])
    .concat([
      ['a', 1],
      ['an', 1],
      ['thirty', 30],
      ['forty', 40],
      ['fifty', 50],
      ['sixty', 60],
      ['seventy', 70],
      ['eighty', 80],
      ['ninety', 90],
    ]),
);

const TOKEN = /\s*(?:(?<separator>,|and\b)|(?<number>\d+(?:\.\d+)?|\.\d+)|(?<word>[a-z]+))\s*/y;
const CLOCK = /^\d+(?::\d{1,2}){1,2}(?:\.\d+)?$/;

/**
 * Seconds of a duration in GitLab's natural language: `3 mins 4 sec`, `2h20min`, `1:30:00`, `90`, `one hour`
 * (spec local-pipeline.md §9.3). A number without a unit is seconds. Undefined if it is no duration.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '') return undefined;
  if (CLOCK.test(trimmed)) return trimmed.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return sumOfParts(trimmed);
}

/** As `parseDuration`, and `never` is Infinity. */
export function parseDurationOrNever(text: string): number | undefined {
  return text.trim().toLowerCase() === 'never' ? Number.POSITIVE_INFINITY : parseDuration(text);
}

function sumOfParts(text: string): number | undefined {
  let total = 0;
  let pending: number | undefined;
  let anything = false;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    const { number, word } = match.groups ?? {};
    const value = number === undefined ? NUMBER_WORDS.get(word ?? '') : Number(number);
    if (value !== undefined) {
      // `twenty five minutes` adds up, `5 5 minutes` is no duration
      if (pending !== undefined && number !== undefined) return undefined;
      pending = (pending ?? 0) + value;
      anything = true;
    } else if (word !== undefined) {
      const unit = UNITS.get(word);
      if (unit === undefined || pending === undefined) return undefined;
      total += pending * unit;
      pending = undefined;
    }
  }
  return anything ? Math.round(total + (pending ?? 0)) : undefined;
}

function units(seconds: number, ...names: readonly string[]): [string, number][] {
  return names.map((name) => [name, seconds]);
}
