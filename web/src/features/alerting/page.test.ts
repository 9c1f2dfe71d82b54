import { expect, it } from 'vitest';

import type { Undelivered } from '@/api/types';

import { byNeed, readMatchers, waiting, written } from './state';

it('reads what a silence matches as it writes it', () => {
  const matchers = [
    { label: 'monitor', is: 'error-*' },
    { label: 'model', is: 'a=b' },
  ];
  expect(written(matchers)).toBe('monitor=error-*, model=a=b');
  expect(readMatchers('monitor=error-*, model=a=b')).toEqual(matchers);
  expect(readMatchers(' monitor = error-* \n\n model=a=b ,')).toEqual(matchers);
  expect(readMatchers('')).toEqual([]);
});

it('says what is no matcher', () => {
  for (const text of ['error-rate', 'monitor=', '=x'])
    expect(readMatchers(text)).toBe(`Expected label=value, found “${text}”.`);
});

it('shows what was given up before what still waits', () => {
  const one = (id: string, channel: string, dead: boolean, minute: number): Undelivered => ({
    id,
    channel,
    dead,
    incident: 'i',
    event: 'opened',
    title: '',
    tries: 1,
    made_at: new Date(Date.UTC(2026, 10, 24, 8, minute)).toISOString(),
  });
  const messages = [one('a', 'ops', false, 1), one('b', 'ops', true, 2), one('c', 'pager', true, 3)];
  expect(byNeed(messages).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  expect(waiting(messages, 'ops')).toEqual({ dead: 1, due: 1 });
  expect(waiting(messages, 'mail')).toEqual({ dead: 0, due: 0 });
});
