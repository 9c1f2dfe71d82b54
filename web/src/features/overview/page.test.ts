import { expect, it } from 'vitest';

import { joined, questionsFor } from './queries';
import { chipsOf, colorsOf, type Group, groupsOf, timelineOf, tokenClasses } from './series';

const minute = 60_000;
const at = (n: number): string => new Date(n * minute).toISOString();

it('puts rows on every bucket of the range', () => {
  const line = timelineOf([{ bucket: at(1), requests: 3, p95: null }], { from: 0, to: 3 * minute }, minute);
  expect(line.column('requests', 0)).toEqual([0, 3, 0]);
  expect(line.column('p95', null)).toEqual([null, null, null]);
  expect(line.column((row) => Number(row.requests) * 2, null)).toEqual([null, 6, null]);
});

it('draws the groups that the store chose, and its sum of all others last', () => {
  const line = timelineOf([], { from: 0, to: 2 * minute }, minute);
  const row = (n: number, model: string | null, requests: number | null, other = false) => ({
    bucket: at(n),
    model,
    other,
    requests,
  });
  const rows = [
    row(0, 'a', 2),
    row(0, 'other', 7),
    row(0, 'other', 40, true),
    row(1, 'a', 3),
    row(1, null, 6),
    row(1, 'other', 2, true),
    row(1, 'free', null),
  ];
  const groups = groupsOf(rows, 'model', 'requests', line, minute);
  expect(groups).toEqual([
    { name: 'other', kind: 'one', values: [7, 0], total: 7 },
    { name: 'unknown', kind: 'unknown', values: [0, 6], total: 6 },
    { name: 'a', kind: 'one', values: [2, 3], total: 5 },
    { name: 'all others', kind: 'other', values: [40, 2], total: 42 },
  ]);
  const [named, unknown, , rest] = groups;
  expect(named && chipsOf(named, groups, 'model')).toEqual([{ field: 'model', op: '=', value: 'other' }]);
  expect(unknown && chipsOf(unknown, groups, 'model')).toEqual([]);
  expect(rest && chipsOf(rest, groups, 'model')).toEqual([
    { field: 'model', op: 'not_in', value: ['other', 'a'] },
    { field: 'model', op: 'exists', value: undefined },
  ]);
});

it('gives a model the same colour in both charts', () => {
  const group = (name: string, kind: Group['kind'] = 'one'): Group => ({ name, kind, values: [], total: 1 });
  const palette = ['red', 'green', 'blue'];
  const first = colorsOf([group('a'), group('b'), group('all others', 'other')], palette, 'grey');
  expect([...first]).toEqual([
    ['a', 'red'],
    ['b', 'green'],
  ]);
  expect([...colorsOf([group('c'), group('b'), group('d')], palette, 'grey', first)]).toEqual([
    ['c', 'red'],
    ['b', 'green'],
    ['d', 'blue'],
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
  expect(questions.byModelOverTime).toMatchObject({ top: 6, measures: [{ fn: 'count' }] });
  expect(questions.costByModelOverTime).toMatchObject({ top: 6, measures: [{ fn: 'sum', column: 'cost' }] });
  expect(questions.now.filter).toEqual({
    all: [
      { field: 'counted', op: '=', value: true },
      { field: 'model', op: '=', value: 'm' },
    ],
  });
});

it('asks for sums where the range is long and they know the fields', () => {
  const week = { from: 'now-7d', to: 'now' };
  const long = questionsFor(week, [{ field: 'model', op: '=', value: 'm' }]);
  expect([long.now.table, long.overTime.table, long.errors.table]).toEqual([
    'span_minutes',
    'span_minutes',
    'spans',
  ]);
  const names = (query?: { measures?: { as?: string | null }[] }) => query?.measures?.map((one) => one.as);
  expect(names(long.now)).not.toContain('ttft_p50');
  expect([long.first?.byModel.table, names(long.first?.byModel)]).toEqual([
    'spans',
    ['requests', 'ttft_p50', 'ttft_p95'],
  ]);
  const ofUser = questionsFor(week, [{ field: 'user_id', op: '=', value: 'u' }]);
  expect([ofUser.now.table, ofUser.first]).toEqual(['spans', undefined]);
  expect(names(ofUser.now)).toContain('ttft_p50');
  expect(questionsFor({ from: 'now-1h', to: 'now' }, []).now.table).toBe('spans');
});

it('joins what two answers know of a bucket or a model', () => {
  const rows = [
    { model: 'other', other: false, requests: 2 },
    { model: 'other', other: true, requests: 3 },
    { model: null, other: false, requests: 1 },
  ];
  const first = [
    { model: 'other', other: true, requests: 3, ttft_p50: 30 },
    { model: null, other: false, requests: 1, ttft_p50: 10 },
  ];
  expect(joined(rows, first).map((row: Record<string, unknown>) => row.ttft_p50)).toEqual([
    undefined,
    30,
    10,
  ]);
  expect(joined([{ requests: 1 }], [{ ttft_p50: 5 }])).toEqual([{ requests: 1, ttft_p50: 5 }]);
});
