import { expect, it } from 'vitest';

import { lasted, named } from './state';

const opened_at = '2026-11-24T08:00:00Z';

it('says how long an incident lasted', () => {
  const check = (resolved_at: string, expected: string) =>
    expect(lasted({ opened_at, resolved_at })).toBe(expected);
  check('2026-11-24T08:00:59Z', 'under a minute');
  check('2026-11-24T08:04:10Z', '4 min');
  check('2026-11-24T10:05:00Z', '2 h 5 min');
  check('2026-11-27T09:00:00Z', '3 d 1 h');
  expect(lasted({ opened_at }, Date.parse('2026-11-24T08:10:00Z'))).toBe('10 min');
});

it('names series by their labels', () => {
  expect(named({ model: 'gpt-4o', route: 'chat' })).toBe('model=gpt-4o, route=chat');
  expect(named({})).toBe('');
});
