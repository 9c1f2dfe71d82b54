import { expect, it } from 'vitest';

import type { Cell, Check, Result } from './types';
import { driftedIn, formatLevel, formatP, keyOf, lackingOf, nameOf, stateOf, table } from './view';

const cell = (signal: string, effect: number, more: Partial<Cell> = {}): Cell => ({
  signal,
  values: 'numbers',
  current_samples: 200,
  reference_samples: 200,
  drifted: false,
  found: {
    effect,
    min_effect: 0.1,
    p: 0.5,
    p_adjusted: 0.5,
    direction: 'up',
    text: '',
    distribution: [],
    current_examples: [],
    reference_examples: [],
  },
  ...more,
});

it('puts what has drifted first, with a column for each segment', () => {
  const cells = [
    cell('latency', 0.09),
    cell('cost', 0.3),
    cell('language', 0.2, { drifted: true }),
    cell('topic', 0, { found: undefined }),
    cell('latency', 0.02, { segment: 'shop' }),
  ];
  const { segments, rows } = table(cells);
  expect(segments).toEqual([undefined, 'shop']);
  expect(rows.map((row) => row[0]?.signal)).toEqual(['language', 'cost', 'latency', 'topic']);
  expect(rows[2]?.map(keyOf)).toEqual(['latency\u0000', 'latency\u0000shop']);
  const more = [...cells, cell('model', 1, { segment: 'shop', drifted: true })];
  const drifted = cell('concept:quality', 1, { drifted: true });
  const concept = { score: 'quality', by: 'input', cell: drifted, groups: [] };
  expect(driftedIn({ cells: more, concept })).toBe('language, model (shop), inputs → quality');
});

it('calls signals, probabilities and levels as people do', () => {
  expect(['input_tokens', 'score:quality', 'concept:quality'].map(nameOf)).toEqual([
    'input tokens',
    'score quality',
    'inputs → quality',
  ]);
  expect([0.2, 0.00004, 0].map(formatP)).toEqual(['0.200', '4e-5', '< 1e-12']);
  expect(formatLevel({ values: 'rate' }, 0.0312)).toBe('3.1%');
  expect(formatLevel({ values: 'numbers', unit: 'tokens' }, 1234.4)).toBe('1,234');
  expect(formatLevel({ values: 'topic' }, undefined)).toBe('');
});

it('tells how a check is', () => {
  const check: Check = { name: 'd', source: 'api', firing: false, next_at: '', definition: {} };
  const side = { parts: 1, rows: 0, drawn: 0 };
  const last = { at: '', current: side, reference: side, drifted: 0, compared: 4, cells: [] };
  const word = (more: Partial<Check>) => stateOf({ ...check, ...more }).word;
  expect(word({})).toBe('not yet');
  expect(word({ last })).toBe('as before');
  expect(word({ last: { ...last, compared: 0 } })).toBe('too little data');
  expect(word({ last: { ...last, drifted: 1 } })).toBe('pending');
  expect(word({ last: { ...last, drifted: 1 }, firing: true })).toBe('drifted');
  expect(word({ last, problem: 'no' })).toBe('can’t compare');
  const gap = { ...last, cells: [cell('embedding', 0, { found: undefined, problem: 'no model' })] };
  expect(word({ last: gap, problem: 'no model' })).toBe('in part');
  expect(word({ last: { ...gap, drifted: 1 }, firing: true, problem: 'no model' })).toBe('drifted');
  expect(word({ last: { ...gap, compared: 0 }, problem: 'no model' })).toBe('can’t compare');
  expect(word({ last: gap, problem: 'no store' })).toBe('can’t compare');
  expect(word({ definition: { enabled: false } })).toBe('off');
});

it('says what is lacking where nothing can be compared', () => {
  const side = (rows: number) => ({ parts: 1, rows, drawn: rows });
  const check = (now: number, before: number, more: Partial<Result> = {}) =>
    lackingOf({
      at: '2026-11-24T08:00:00Z',
      current: side(now),
      reference: side(before),
      drifted: 0,
      compared: 0,
      cells: [cell('latency', 0, { found: undefined })],
      ...more,
    });
  expect(check(9, 0)).toContain('no calls before');
  expect(check(0, 9)).toContain('no calls now,');
  expect(check(0, 0)).toContain('now or before');
  expect(check(9, 9)).toBeUndefined();
  expect(check(9, 9, { cells: [] })).toContain('None of the signals');
  expect(check(0, 9, { compared: 3 })).toBeUndefined();
});
