import { expect, it } from 'vitest';

import { gapsOf, isWeb, meaning, relative, withBreaks } from './context';
import { byUrgency, driftCheckOf, hasHistory, lasted, named, stretch } from './state';

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

it('draws what a monitor of its own has found, and shades when', () => {
  expect(hasHistory({ monitor: 'error-rate' })).toBe(true);
  expect(hasHistory({ monitor: 'drift.inputs' })).toBe(false);
  expect(hasHistory({ monitor: 'alertmanager.Disk', external: 'prom' })).toBe(false);
  const began = Date.parse(opened_at);
  expect(stretch({ opened_at, resolved_at: '2026-11-24T08:01:00Z' }, 0)).toEqual([began, began + 60_000]);
  expect(stretch({ opened_at }, began + 5)).toEqual([began, began + 5]);
});

it('names series by their labels', () => {
  expect(named({ model: 'gpt-4o', route: 'chat' })).toBe('model=gpt-4o, route=chat');
  expect(named({})).toBe('');
});

it('says when something was changed, seen from the beginning', () => {
  const check = (at: string, expected: string) => expect(relative(at, opened_at)).toBe(expected);
  check('2026-11-24T07:48:00Z', '12 min before');
  check('2026-11-24T08:00:20Z', 'as it began');
  check('2026-11-24T08:03:00Z', '3 min after');
  check('2026-11-24T06:30:00Z', '1 h 30 min before');
});

it('links to the web and to nothing else', () => {
  expect(isWeb('https://ci.example/1')).toBe(true);
  expect(isWeb('javascript:alert(1)')).toBe(false);
  expect(isWeb(undefined)).toBe(false);
});

it('says what an action does before it is done', () => {
  expect(meaning({ name: 'x', does: { webhook: { channel: 'ops' } } })).toContain('ops');
  expect(meaning({ name: 'x', does: { disable_key: { key: 'k-1' } } })).toContain('for good');
  const check = (
    does: { route: string; to?: string; targets?: string[]; for_s?: number },
    expected: string,
  ) => expect(meaning({ name: 'x', does: { switch_route: does } })).toContain(expected);
  check({ route: 'chat', to: 'b' }, 'Calls of route “chat” go to route “b” until the incident is over.');
  check({ route: 'chat', targets: ['a/b', 'c/d'], for_s: 5_400 }, 'asked of a/b, c/d alone for 90 min.');
  check({ route: 'chat', to: 'b', for_s: 7_200 }, 'for 2 h.');
  check({ route: 'chat', to: 'b', for_s: 45 }, 'for 45 s.');
});

it('shows first what nobody has taken, then what is worst', () => {
  const one = (id: string, status: 'open' | 'acknowledged', severity: 'critical' | 'warning') => ({
    id,
    status,
    severity,
  });
  const incidents = [
    one('a', 'open', 'warning'),
    one('b', 'acknowledged', 'critical'),
    one('c', 'open', 'critical'),
    one('d', 'open', 'critical'),
  ];
  expect(byUrgency(incidents).map(({ id }) => id)).toEqual(['c', 'd', 'a', 'b']);
});

it('knows the drift check behind an incident, and why a part is missing', () => {
  expect(driftCheckOf('drift.inputs')).toBe('inputs');
  expect(driftCheckOf('error-rate')).toBeUndefined();
  const window = { from: opened_at, to: opened_at };
  const context = {
    at: opened_at,
    window,
    before: window,
    gaps: ['differences: too few rows', 'examples: gone'],
  };
  expect(gapsOf(context, 'differences')).toEqual(['too few rows']);
  expect(gapsOf(undefined, 'differences')).toEqual([]);
});

it('keeps the lines of a runbook', () => {
  expect(withBreaks('It fails.\n1. Look.\n\nThen ask.\n')).toBe('It fails.  \n1. Look.\n\nThen ask.');
});
