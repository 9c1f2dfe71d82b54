import { expect, it } from 'vitest';

import { isDimension, ratesFor, sharesOf } from './rates';

it('asks for the calls of the gateway by what is picked', () => {
  const { table, overTime } = ratesFor({ from: 'now-1h', to: 'now' }, 'user');
  expect(table.group_by).toEqual(['user_id']);
  expect(overTime.bucket).toBeDefined();
  expect(isDimension('route') && !isDimension('shoe')).toBe(true);
});

it('tells shares where there were calls, and nothing where there were none', () => {
  const at = (minute: number): string => new Date(minute * 60_000).toISOString();
  const range = { from: at(0), to: at(60) };
  const row = (minute: number, user: string | null, calls: number, hit: number) => ({
    bucket: at(minute),
    user_id: user,
    calls,
    hit,
  });
  const { lines } = sharesOf([row(0, 'ann', 4, 1), row(2, null, 2, 2)], 'user_id', range, 0);
  expect(lines.map(({ name, values }) => [name, values[0], values[1], values[2]])).toEqual([
    ['ann', 0.25, null, null],
    ['none', null, null, 1],
  ]);
});
