import { expect, it } from 'vitest';

import type { MetricAbout, OnlineRule } from '@/api/types';

import {
  chipsOf,
  draftOf,
  formatRate,
  fresh,
  lacks,
  metricsFor,
  ruleOf,
  stopOf,
  stops,
  unmapped,
} from './draft';
import { ratesOf } from './rates';

const scorers = [{ metric: 'json_valid' }];

it('sends nothing that was left empty', () => {
  const draft = { ...fresh(), name: ' short ', scorers, mapping: { reference: ' ', output: '/output/text' } };
  expect(ruleOf(draft)).toEqual({
    name: 'short',
    on: true,
    sample_rate: 1,
    scorers,
    mapping: { output: '/output/text' },
  });
  expect(ruleOf({ ...draft, usd: '2.5', mapping: {} }).budget).toEqual({ usd_per_day: 2.5 });
});

it('shows filters as chips, and leaves those alone that chips can’t show', () => {
  const model = { field: 'model', op: '=', value: 'm' } as const;
  const slow = { field: 'duration_ms', op: '>', value: 5 } as const;
  expect(chipsOf(undefined)).toEqual([]);
  expect(chipsOf(model)).toEqual([model]);
  expect(chipsOf({ all: [model, { field: 'user_id', op: 'exists' }] })).toEqual([
    model,
    { field: 'user_id', op: 'exists', value: undefined },
  ]);
  const either = { any: [model, slow] };
  expect(chipsOf(either)).toBeUndefined();
  const kept = { rule: { name: 'r', scorers, filter: either }, version: 1 } as unknown as OnlineRule;
  expect(ruleOf(draftOf(kept)).filter).toEqual(either);
  const both = { rule: { name: 'r', scorers, filter: { all: [model, slow] } } } as unknown as OnlineRule;
  expect(ruleOf(draftOf(both)).filter).toEqual({ all: [model, slow] });
});

it('says what is missing before it can be tried', () => {
  expect(lacks(fresh())).toContain('scorer');
  expect(lacks({ ...fresh(), scorers, usd: 'two' })).toContain('two');
  expect(lacks({ ...fresh(), scorers, usd: '2', scores: '10' })).toBeUndefined();
});

it('has a stop on the slider near every rate', () => {
  expect(stops[stopOf(0.03)]).toBe(0.02);
  expect(stops[stopOf(0.9)]).toBe(1);
  expect([0.001, 0.05, 0.125, 1].map(formatRate)).toEqual(['0.1 %', '5 %', '12.5 %', '100 %']);
});

const metric = (name: string, family: string, needs: string[]): MetricAbout =>
  ({ name, family, summary: `About ${name}`, aliases: [], inputs: needs }) as unknown as MetricAbout;

it('finds metrics, and says which inputs spans lack', () => {
  const all = [metric('rouge1', 'text', ['output', 'reference']), metric('ks', 'drift', ['output'])];
  expect(metricsFor(all, '').map(({ name }) => name)).toEqual(['rouge1']);
  expect(metricsFor(all, 'rouge about')).toHaveLength(1);
  expect(metricsFor(all, 'bleu')).toEqual([]);
  const draft = { ...fresh(), scorers: [{ metric: 'rouge1' }] };
  expect(unmapped(draft, all)).toEqual(['reference']);
  expect(unmapped({ ...draft, mapping: { reference: 'attributes.gold' } }, all)).toEqual([]);
});

it('reads scores a minute', () => {
  expect(ratesOf([{ 'metadata.rule': 'r', scores: 30 }]).get('r')).toBe(2);
});
