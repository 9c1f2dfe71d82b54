import { expect, it } from 'vitest';

import { drawn, firingsOf, nameOf, shown, spanOf } from './history';

it('draws the value and the band where there is one', () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 24, 8, minute)).toISOString();
  const series = {
    labels: {},
    firings: [],
    points: [
      { at: at(0), value: 3, high: 5, firing: false },
      { at: at(5), high: 5, firing: false },
      { at: at(10), value: 7, high: 5, firing: true },
    ],
  };
  expect(drawn(series)).toEqual({
    times: [0, 5, 10].map((minute) => Date.UTC(2026, 10, 24, 8, minute)),
    bucketMs: 300_000,
    value: [3, null, 7],
    low: undefined,
    high: [5, 5, 5],
  });
});

it('writes numbers as people read them', () => {
  expect([0.0123456, 12.3456, 1234.5].map(shown)).toEqual(['0.01235', '12.35', '1,235']);
});

it('gives several series one axis, and says when each would have fired', () => {
  const at = (hour: number) => new Date(Date.UTC(2026, 10, 24, hour)).toISOString();
  const one = {
    labels: { model: 'small', route: '' },
    firings: [
      { from: at(2), until: at(3), text: '' },
      { from: at(5), text: '' },
    ],
    points: [1, 5].map((hour) => ({ at: at(hour), firing: false })),
  };
  const other = { labels: {}, firings: [], points: [3, 9].map((hour) => ({ at: at(hour), firing: false })) };
  const hour = (count: number) => Date.UTC(2026, 10, 24, count);
  expect(spanOf([one, other])).toEqual([hour(1), hour(9)]);
  expect(spanOf([])).toBeUndefined();
  expect(firingsOf(one, hour(9))).toEqual([
    [hour(2), hour(3)],
    [hour(5), hour(9)],
  ]);
  expect(nameOf(one)).toBe('small · no route');
  expect(nameOf(other)).toBe('');
});
