import { expect, it } from 'vitest';

import type { TargetStatus } from '@/api/types';

import { ageOf, detourOf, isAsked, probesOf, shareOf, stateOf, weightOf } from './state';

const target = (more: Partial<TargetStatus> = {}): TargetStatus => ({
  provider: 'openai',
  model: 'gpt-4o-mini',
  weight: 1,
  weight_now: 1,
  breaker: 'closed',
  in_flight: 0,
  waiting: 0,
  failures_in_a_row: 0,
  answered: 0,
  failed: 0,
  ...more,
});

it('says how old a figure is that says nothing of now', () => {
  expect(ageOf(undefined)).toBeUndefined();
  expect(ageOf(59_000)).toBeUndefined();
  expect(ageOf(7_500_000)).toBe('2h 05m ago');
});

it('says whether a target gets calls, and why not', () => {
  expect(stateOf(target())).toEqual({ kind: 'up', label: 'up', why: undefined });
  expect(stateOf(target({ failure_rate: 0.05 })).kind).toBe('up');
  expect(stateOf(target({ failure_rate: 0.25 }))).toEqual({
    kind: 'trying',
    label: 'up',
    why: '25% of its latest calls failed.',
  });
  expect(stateOf(target({ off: 'set OPENAI_API_KEY' }))).toMatchObject({
    kind: 'off',
    why: 'set OPENAI_API_KEY',
  });
  expect(
    stateOf(target({ breaker: 'open', last_error: 'upstream_timeout', left_alone_ms: 12_000 })),
  ).toMatchObject({
    kind: 'left',
    why: 'It failed with upstream_timeout; asked again in 12.0 s.',
  });
  expect(stateOf(target({ breaker: 'probing', last_error: 'upstream_timeout' }))).toEqual({
    kind: 'trying',
    label: 'next call tries it',
    why: 'It failed with upstream_timeout; no call tried it since.',
  });
  expect(stateOf(target({ breaker: 'open' }))).toMatchObject({ kind: 'trying', label: 'being tried' });
  expect(stateOf(target({ breaker: 'resting', left_alone_ms: 900 })).why).toBe(
    'It asked to slow down for 900 ms more.',
  );
});

it('says that a target is unwell, and why', () => {
  expect(stateOf(target({ unwell: 'HTTP status 503' }))).toEqual({
    kind: 'trying',
    label: 'unwell',
    why: 'Asked only if nobody else can be: HTTP status 503',
  });
  // That it failed calls says more.
  expect(stateOf(target({ unwell: 'HTTP status 503', breaker: 'open', left_alone_ms: 900 })).kind).toBe(
    'left',
  );
});

it('shares the calls out among the targets', () => {
  const targets = [target({ answered: 3 }), target({ answered: 1 })];
  expect(targets.map((one) => shareOf(one, targets))).toEqual([0.75, 0.25]);
  expect(shareOf(target(), [target()])).toBe(0);
});

it('tells how much of its weight a target has while it is on its way back', () => {
  expect(weightOf(target({ weight: 3, weight_now: 3 }))).toBe('Weight 3');
  expect(weightOf(target({ weight: 3, weight_now: 0.3001 }))).toBe('Weight 0.3 of 3, on its way back');
});

it('shows what the model says beside what its provider says', () => {
  const probe = (well: boolean) => ({
    well,
    time: '2026-11-01T10:00:00Z',
    took_ms: 12,
    failures_in_a_row: well ? 0 : 3,
    successes_in_a_row: well ? 3 : 0,
  });
  expect(probesOf(target())).toEqual([]);
  const both = { ...target(), probe: probe(false), provider_probe: probe(true) };
  expect(probesOf(both).map(({ who, status }) => [who, status.well])).toEqual([
    ['model', false],
    ['provider', true],
  ]);
});

it('says where the calls of a route go for a while', () => {
  const detour = { route: 'chat', since: '2026-11-24T08:00:00Z', why: 'Away (incident 1)', incident: '1' };
  expect(detourOf({ ...detour, to: 'backup' })).toBe(
    'Its calls go to route `backup` until the incident is over: Away.',
  );
  const pinned = { ...detour, targets: ['a/b', 'c/d'], until: '2026-11-24T09:00:00Z' };
  expect(detourOf(pinned)).toMatch(/^Its calls are asked of `a\/b`, `c\/d` alone until .*\d.*: Away\.$/);
});

it('says which targets a detour leaves alone', () => {
  const detour = { route: 'chat', since: '2026-11-24T08:00:00Z', why: 'Away' };
  const [small, large] = [target({ model: 'small' }), target({ model: 'large' })];
  const check = (route: Parameters<typeof isAsked>[0]) => [small, large].map((one) => isAsked(route, one));
  expect(check({})).toEqual([true, true]);
  expect(check({ detour: { ...detour, to: 'backup' } })).toEqual([false, false]);
  expect(check({ detour: { ...detour, targets: ['openai/small'] } })).toEqual([true, false]);
  expect(check({ detour: { ...detour, to: 'backup' }, detour_problem: 'gone' })).toEqual([true, true]);
});
