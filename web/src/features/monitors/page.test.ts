import { expect, it } from 'vitest';

import { kindOf, objectiveOf } from './state';

it('knows what a monitor is', () => {
  expect(kindOf({ condition: { burn_rate: { objective: 0.99 } } })).toBe('burn_rate');
  expect(kindOf({})).toBe('');
  expect(objectiveOf({ name: 'objective.starter.calls', source: 'objective' })).toBe('starter.calls');
  expect(objectiveOf({ name: 'calls', source: 'api' })).toBeUndefined();
});
