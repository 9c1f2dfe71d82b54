import { expect, it } from 'vitest';

import { routeOf } from './route';

it('reads what a route did from the attributes of a call', () => {
  expect(routeOf({ attributes: {} })).toBeUndefined();
  const tries = [
    { target: 'a/m', started_ms: 1, took_ms: 20, outcome: 'upstream_error', error: 'it said 500' },
    { target: 'b/m', because: 'fallback', started_ms: 21, took_ms: 300, outcome: 'answered' },
  ];
  const attributes = {
    'signalbox.route.name': 'chat',
    'signalbox.route.strategy': 'priority',
    'signalbox.route.order': '["a/m","b/m","d/m"]',
    'signalbox.route.arm': 'new',
    'signalbox.route.arm_answered': 'old',
    'signalbox.route.tries': JSON.stringify(tries),
    'signalbox.route.left': '[{"target":"c/m","why":"left alone"}]',
    'signalbox.route.queued_ms': '3.500',
    'signalbox.route.retry_budget_spent': 'true',
  };
  expect(routeOf({ attributes })).toEqual({
    name: 'chat',
    strategy: 'priority',
    reason: undefined,
    arm: 'new',
    armAnswered: 'old',
    tries,
    spared: ['d/m'],
    left: [{ target: 'c/m', why: 'left alone' }],
    queuedMs: 3.5,
    budgetSpent: true,
  });
  const cut = routeOf({ attributes: { ...attributes, 'signalbox.route.tries': '[{"target":"a/' } });
  expect(cut?.tries).toEqual([]);
});
