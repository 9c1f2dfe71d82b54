import { expect, it } from 'vitest';

import type { Provider } from '@/api/types';

import { liveOf } from './state';

type Routed = Provider['routed'][number];

const routed = (more: Partial<Routed> = {}): Routed => ({
  route: 'chat',
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

const provider = (targets: Routed[]): Provider => ({
  name: 'openai',
  title: 'OpenAI',
  kind: 'openai',
  dialect: 'openai_chat',
  otel_name: 'openai',
  on: true,
  why: 'OPENAI_API_KEY is set',
  models: [],
  health: { ok: 0, failed: 0, connections: 0, in_flight: 0 },
  routed: targets,
});

it('tells what routes make of a provider, the worst first', () => {
  const states = liveOf(
    provider([
      routed(),
      routed({ route: 'slow', breaker: 'resting', left_alone_ms: 900, last_error: 'rate_limited' }),
      routed({ route: 'bad', breaker: 'open', left_alone_ms: 12_000, last_error: 'upstream_timeout' }),
      routed({ route: 'next', breaker: 'probing', last_error: 'upstream_timeout' }),
      routed({ route: 'now', breaker: 'open' }),
      routed({ route: 'off', off: 'set OPENAI_API_KEY' }),
    ]),
  );
  expect(states.map((one) => [one.route, one.label, one.why])).toEqual([
    ['bad', 'left alone', 'gpt-4o-mini: left alone after upstream_timeout, for 12.0 s more'],
    ['slow', 'slowed down', 'gpt-4o-mini: slowed down after rate_limited, for 900 ms more'],
    ['next', 'next call tries it', 'gpt-4o-mini: next call tries it after upstream_timeout'],
    ['now', 'being tried', 'gpt-4o-mini: being tried'],
    ['chat', 'up', 'gpt-4o-mini: up'],
  ]);
});

it('has nothing to tell of a provider without routes', () => {
  expect(liveOf(provider([]))).toEqual([]);
});
