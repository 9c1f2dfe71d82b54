import { expect, it } from 'vitest';

import type { Monitor } from '@/api/types';

import { byNeed, kindOf, objectiveOf, stateOf } from './state';

it('knows what a monitor is', () => {
  expect(kindOf({ condition: { burn_rate: { objective: 0.99 } } })).toBe('burn_rate');
  expect(kindOf({})).toBe('');
  expect(objectiveOf({ name: 'objective.starter.calls', source: 'objective' })).toBe('starter.calls');
  expect(objectiveOf({ name: 'calls', source: 'api' })).toBeUndefined();
});

const monitor = (name: string, more: Partial<Monitor> = {}): Monitor => ({
  name,
  source: 'api',
  phase: 'ok',
  definition: {},
  series: [{ labels: {}, phase: 'ok', since: '2026-11-24T08:00:00Z' }],
  ...more,
});

it('says how a monitor is', () => {
  expect(stateOf(monitor('a')).word).toBe('ok');
  expect(stateOf(monitor('a', { series: [] })).word).toBe('no data');
  expect(stateOf(monitor('a', { problem: 'no such column' }))).toEqual({ word: 'unknown', tone: 'error' });
  expect(stateOf(monitor('a', { phase: 'firing' })).tone).toBe('error');
  const off: Record<string, never> = { enabled: false as never };
  expect(stateOf(monitor('a', { phase: 'firing', definition: off })).word).toBe('off');
});

it('lists what is wrong first', () => {
  const all = [
    monitor('c'),
    monitor('b', { series: [] }),
    monitor('a'),
    monitor('d', { phase: 'pending' }),
    monitor('e', { phase: 'firing' }),
  ];
  expect(byNeed(all).map(({ name }) => name)).toEqual(['e', 'd', 'a', 'c', 'b']);
});
