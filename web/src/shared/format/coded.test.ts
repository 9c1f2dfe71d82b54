import { expect, it } from 'vitest';

import { localTimes, pieces } from './coded';

it('shows values of columns as code', () => {
  expect(pieces('`provider=azure`: 84 % of failed calls')).toEqual([
    { text: 'provider=azure', code: true },
    { text: ': 84 % of failed calls', code: false },
  ]);
  expect(pieces('no code')).toEqual([{ text: 'no code', code: false }]);
});

it('writes moments in the reader’s time', () => {
  const at = new Date(2026, 10, 24, 9, 15, 39);
  const now = new Date(2026, 10, 24, 8).getTime();
  expect(localTimes(`until ${at.toISOString()}, or so`, now)).toBe('until 09:15:39, or so');
  expect(localTimes('2026-11-24 is no moment', now)).toBe('2026-11-24 is no moment');
});
