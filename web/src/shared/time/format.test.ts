import { expect, it } from 'vitest';

import { exactTime, formatAgo, formatIn, formatRange, formatTime } from './format';

const now = new Date(2026, 10, 24, 12, 0, 0).getTime();
const at = (ms: number): string => new Date(ms).toISOString();

it('shows the clock for today, the day for this year, the year otherwise', () => {
  expect(formatTime(at(now - 61_000), now)).toBe('11:58:59');
  expect(formatTime(at(now - 86_400_000), now)).toBe('23 Nov, 12:00:00');
  expect(formatTime(at(now - 400 * 86_400_000), now)).toMatch(/2025, 12:00:00$/);
  expect(formatTime('soon', now)).toBe('soon');
});

it.each([
  [1_000, 'just now'],
  [42_000, '42s ago'],
  [3_599_000, '59m ago'],
  [7_200_000, '2h ago'],
  [200_000_000, '2d ago'],
  [-5_000, 'just now'],
])('%s ms before now is %s', (ms, text) => expect(formatAgo(at(now - ms), now)).toBe(text));

it('says UTC too', () => {
  expect(exactTime('2026-11-24T11:58:59.012345Z')).toContain('2026-11-24T11:58:59.012Z');
});

it.each([
  [2_000, 'now'],
  [-60_000, 'now'],
  [42_000, 'in 42s'],
  [7_200_000, 'in 2h'],
])('%s ms from now is %s', (ms, text) => expect(formatIn(at(now + ms), now)).toBe(text));

it('says of which days a stretch is, unless it is of today', () => {
  const day = 86_400_000;
  expect(formatRange(at(now - 3_600_000), at(now), now)).toBe('11:00 – 12:00');
  expect(formatRange(at(now - day), at(now), now)).toBe('23 Nov, 12:00 – 24 Nov, 12:00');
  expect(formatRange(at(now - day), at(now - day + 60_000), now)).toBe('23 Nov, 12:00 – 12:01');
  expect(formatRange('soon', 'later', now)).toBe('soon – later');
});
