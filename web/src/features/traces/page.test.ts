import { expect, it } from 'vitest';

import type { TraceSummary } from '@/api/types';

import { flatten, mergeNewest } from './merge';

const trace = (trace_id: string, second: number, more: Partial<TraceSummary> = {}): TraceSummary => ({
  trace_id,
  name: trace_id,
  kind: 'llm',
  source: 'gateway',
  start_time: new Date(second * 1_000).toISOString(),
  duration_ms: 1,
  status: 'ok',
  span_count: 1,
  error_count: 0,
  models: [],
  tags: [],
  ...more,
});

it('puts new traces on top and brings known ones up to date in place', () => {
  const pages = [{ traces: [trace('b', 2), trace('a', 1)], next_cursor: 'x' }, { traces: [trace('z', 0)] }];
  const merged = mergeNewest(pages, {
    traces: [trace('c', 3), trace('b', 2, { span_count: 4 })],
    next_cursor: 'y',
  });
  expect(merged.added.map((one) => one.trace_id)).toEqual(['c']);
  expect(merged.pages[0]?.traces.map((one) => `${one.trace_id}${one.span_count}`)).toEqual([
    'c1',
    'b4',
    'a1',
  ]);
  expect(merged.pages[0]?.next_cursor).toBe('x');
  expect(merged.pages[1]).toEqual(pages[1]);
});

it('takes the newest page where there was none', () => {
  expect(mergeNewest([], { traces: [trace('a', 1)] }).pages).toHaveLength(1);
});

it('counts a trace on two pages once', () => {
  expect(
    flatten([{ traces: [trace('a', 1)] }, { traces: [trace('a', 1), trace('b', 0)] }]).map(
      (one) => one.trace_id,
    ),
  ).toEqual(['a', 'b']);
});
