import { expect, it } from 'vitest';

import {
  budgetLeft,
  budgetTone,
  drawn,
  freezeBelow,
  meaning,
  percent,
  rateText,
  rateTone,
  until,
} from './state';

it('writes shares so that they can be told from the objective', () => {
  expect(percent(0.99954, 0.999)).toBe('99.95 %');
  expect(percent(0.999, 0.999)).toBe('99.9 %');
  expect(percent(0.9, 0.9)).toBe('90 %');
  expect(percent(0.95, 0.95)).toBe('95 %');
  expect(percent(0.9999, 0.9999)).toBe('99.99 %');
  // Not quite all of them.
  expect(percent(0.999999, 0.99)).toBe('99.9 %');
  expect(percent(1, 0.99)).toBe('100 %');
});

it('says how bad it is', () => {
  expect([1, 0.5, 0.2, 0, -3].map(budgetTone)).toEqual(['ok', 'ok', 'warn', 'error', 'error']);
  expect([0.62, 0.0349, 0, -14.4].map(budgetLeft)).toEqual(['62 %', '3.5 %', '0 %', '-1,440 %']);
  expect([undefined, 0.4, 1, 3, 14.4].map(rateTone)).toEqual([
    'neutral',
    'neutral',
    'neutral',
    'warn',
    'error',
  ]);
  expect([undefined, 0, 0.456, 14.44, 1234.5].map(rateText)).toEqual(['–', '0×', '0.46×', '14×', '1,235×']);
});

it('says in a sentence what an objective means', () => {
  const check = (good: object, expected: string) =>
    expect(meaning({ objective: 0.95, good })).toBe(`95 % of ${expected}`);
  check({ availability: {} }, 'calls don’t fail');
  check({ latency: { under: '2s' } }, 'calls take less than 2s');
  check({ ttft: { under: '800ms' } }, 'answers begin within 800ms');
  check({ score: { name: 'groundedness', at_least: 0.7 } }, 'scores “groundedness” are 0.7 or more');
  check({ score: { name: 'groundedness' } }, 'scores “groundedness” pass');
  check({ cost: { under: 0.02 } }, 'answers cost less than $0.02');
  check({ ratio: { bad: 'late', over: 'all' } }, '“all” are not “late”');
  check({ ratio: { good: 'paid', over: 'orders' } }, '“orders” are “paid”');
});

it('draws what is left at the end of each bucket', () => {
  const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour)).toISOString();
  const points = [
    { at: at(1), left: 1, bad: 0, total: 10 },
    { at: at(2), left: -0.5, bad: 3, total: 10 },
  ];
  expect(drawn(points, 0.1)).toEqual({
    bucketMs: 3_600_000,
    times: [1, 2].map((hour) => Date.UTC(2026, 10, 24, hour)),
    left: [100, -50],
    freeze: [10, 10],
    bad: [0, 3],
  });
  expect(drawn([], undefined).freeze).toBeUndefined();
  expect([{}, { freeze_below: 0.2 }, { freeze: false }].map(freezeBelow)).toEqual([0, 0.2, undefined]);
});

it('says how long it lasts', () => {
  const now = Date.UTC(2026, 10, 24);
  const after = (minutes: number) => until(new Date(now + minutes * 60_000).toISOString(), now);
  expect([-5, 12, 90, 60 * 76].map(after)).toEqual(['0 min', '12 min', '1 h', '3 d 4 h']);
});
