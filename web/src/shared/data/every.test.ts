import { expect, it } from 'vitest';

import { every } from './every';

it('lets a failure be read, and asks on for what has come before', () => {
  const check = (data: unknown, status: string) => every(5_000)({ state: { data, status } });
  expect(check({}, 'success')).toBe(5_000);
  expect(check({}, 'error')).toBe(5_000);
  expect(check(undefined, 'pending')).toBe(5_000);
  expect(check(undefined, 'error')).toBe(30_000);
  expect(every(60_000)({ state: { data: undefined, status: 'error' } })).toBe(60_000);
});
