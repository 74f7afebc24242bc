import { expect, test } from 'vitest';
import { FaultInjector } from './fault-injector.ts';
import { faultRuleSchema, parseFaultRules } from './fault-rules.ts';

test('rules come as a list or with a seed', () => {
  const rule = '{"endpoint":"trace","kind":"reset"}';
  expect(parseFaultRules(`[${rule}]`)).toMatchObject({ rules: [{ rate: 1, when: 'before' }], seed: 1 });
  expect(parseFaultRules(`{"rules":[${rule}],"seed":7}`).seed).toBe(7);
});

test.each([
  '{',
  '[{"endpoint":"trace"}]',
  '[{"endpoint":"x","kind":"reset"}]',
  '[{"endpoint":"trace","kind":"reset","typo":1}]',
])('refuses %s', (text) => {
  expect(() => parseFaultRules(text)).toThrow(/fault rules cannot be used/);
});

test('counts what passes and what is hit', () => {
  const rule = faultRuleSchema.parse({ endpoint: 'trace', kind: 'reset', skip_first: 1, max_count: 2 });
  const injector = new FaultInjector([rule], 1);
  const hits = Array.from({ length: 5 }, () => injector.pick('trace') !== undefined);
  expect(hits).toEqual([false, true, true, false, false]);
  expect(injector.pick('verify')).toBeUndefined();
  expect(injector.pick(undefined)).toBeUndefined();
  expect(injector.counts()).toEqual([{ rule, requests: 5, injected: 2 }]);
});

test('a rate is kept over many requests', () => {
  const rule = faultRuleSchema.parse({ endpoint: 'trace', kind: 'reset', rate: 0.3 });
  const injector = new FaultInjector([rule], 42);
  for (let count = 0; count < 10_000; count += 1) injector.pick('trace');
  expect((injector.counts()[0]?.injected ?? 0) / 10_000).toBeCloseTo(0.3, 1);
});
