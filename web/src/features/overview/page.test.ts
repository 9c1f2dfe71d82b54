import { expect, it } from 'vitest';

import { questionsFor } from './queries';
import { groupsOf, timelineOf, tokenClasses } from './series';

const minute = 60_000;
const at = (n: number): string => new Date(n * minute).toISOString();

it('puts rows on every bucket of the range', () => {
  const line = timelineOf([{ bucket: at(1), requests: 3, p95: null }], { from: 0, to: 3 * minute }, minute);
  expect(line.column('requests', 0)).toEqual([0, 3, 0]);
  expect(line.column('p95', null)).toEqual([null, null, null]);
  expect(line.column((row) => Number(row.requests) * 2, null)).toEqual([null, 6, null]);
});

it('draws the largest groups and sums the rest', () => {
  const rows = ['a', 'b', 'c', 'd'].map((model, i) => ({ bucket: at(0), model, requests: 10 - i }));
  const line = timelineOf([], { from: 0, to: 2 * minute }, minute);
  const groups = groupsOf(
    [...rows, { bucket: at(1), model: null, requests: 1 }],
    'model',
    'requests',
    line,
    minute,
    2,
  );
  expect(groups).toEqual([
    { name: 'a', values: [10, 0], total: 10 },
    { name: 'b', values: [9, 0], total: 9 },
    { name: 'other (3)', values: [15, 1], total: 16 },
  ]);
});

it('counts no token twice', () => {
  expect(
    tokenClasses({ input_tokens: 100, cache_read_tokens: 60, output_tokens: 50, reasoning_tokens: 30 }),
  ).toEqual({
    input: 40,
    cacheRead: 60,
    cacheWrite: 0,
    output: 20,
    reasoning: 30,
  });
});

it('asks about the calls of models in the range and in the one before', () => {
  const questions = questionsFor({ from: 'now-1h', to: 'now' }, [{ field: 'model', op: '=', value: 'm' }]);
  expect(questions.before.time).toEqual({ from: 'now-7200s', to: 'now-1h' });
  expect(questions.overTime.bucket).toBe('1m');
  expect(questions.now.filter).toEqual({
    all: [
      { field: 'counted', op: '=', value: true },
      { field: 'model', op: '=', value: 'm' },
    ],
  });
});
