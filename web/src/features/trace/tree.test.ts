import { describe, expect, it } from 'vitest';

import type { SpanSummary } from '@/api/types';

import { barOf, buildForest, extentOf, scaleMarks, spanToOpen, visibleRows } from './tree';

const epoch = Date.parse('2026-11-24T10:00:00.000Z');
const span = (
  span_id: string,
  parent_span_id?: string,
  at = 0,
  more: Partial<SpanSummary> = {},
): SpanSummary => ({
  span_id,
  parent_span_id,
  name: span_id,
  kind: 'span',
  source: 'otlp',
  start_time: new Date(epoch + at).toISOString(),
  duration_ms: 100,
  status: 'ok',
  ...more,
});
const shape = (spans: SpanSummary[], collapsed: string[] = [], search = ''): string[] =>
  visibleRows(buildForest(spans), new Set(collapsed), search).map(
    (node) => '-'.repeat(node.depth) + node.span.span_id,
  );

describe('the tree', () => {
  const family = [span('c', 'a', 20), span('d', 'c', 30), span('b', 'a', 10), span('a')];

  it('orders by start, parents first', () => {
    expect(shape(family)).toEqual(['a', '-b', '-c', '--d']);
  });
  it('hides what is under a collapsed span', () => {
    expect(shape(family, ['c'])).toEqual(['a', '-b', '-c']);
    expect(shape(family, ['a'])).toEqual(['a']);
  });
  it('shows hits and what leads to them, collapsed or not', () => {
    expect(shape(family, ['a'], 'D')).toEqual(['a', '-c', '--d']);
    expect(shape(family, [], 'zzz')).toEqual([]);
  });
  it('makes orphans roots', () => {
    expect(shape([span('x', 'not-here', 5), span('a')])).toEqual(['a', 'x']);
  });
  it('breaks rings', () => {
    expect(shape([span('a', 'b'), span('b', 'a', 1)])).toEqual(['a', '-b']);
    expect(shape([span('a', 'a')])).toEqual(['a']);
    expect(shape([span('a', 'c'), span('b', 'a', 1), span('c', 'b', 2), span('d', 'c', 3)])).toEqual([
      'a',
      '-b',
      '--c',
      '---d',
    ]);
  });
  it('adds up cost, tokens and errors', () => {
    const [root] = buildForest([
      span('a'),
      span('b', 'a', 1, { cost: 0.5, total_tokens: 10 }),
      span('c', 'b', 2, { cost: 0.25, status: 'error' }),
    ]);
    expect(root).toMatchObject({ cost: 0.75, tokens: 10, below: 2, errorsBelow: 1 });
    expect(buildForest([span('a')])[0]?.cost).toBeUndefined();
  });
  it('opens fifty thousand spans at once', () => {
    const bush = Array.from({ length: 50_000 }, (_, i) =>
      span(`s${i}`, i > 0 ? `s${Math.floor((i - 1) / 20)}` : undefined, i, { cost: 1, total_tokens: 2 }),
    );
    const roots = buildForest(bush);
    expect(visibleRows(roots, new Set()).length).toBe(50_000);
    expect(visibleRows(roots, new Set(), 's4999').length).toBeGreaterThan(10);
    expect(extentOf(bush).to - epoch).toBe(50_099);
    expect(roots[0]).toMatchObject({ below: 49_999, cost: 50_000, tokens: 100_000 });
  });
  it('holds ten thousand spans in one chain', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => span(`s${i}`, i > 0 ? `s${i - 1}` : undefined, i));
    expect(shape(chain).length).toBe(10_000);
  });
});

describe('the waterfall', () => {
  it('places bars in percent', () => {
    const spans = [span('a', undefined, 0, { duration_ms: 200 }), span('b', 'a', 50, { ttft_ms: 25 })];
    const extent = extentOf(spans);
    expect(extent).toEqual({ from: epoch, to: epoch + 200 });
    expect(barOf(spans[1] ?? span('b'), extent)).toEqual({ left: 25, width: 50, firstToken: 25 });
  });
  it('holds without a duration and without spans', () => {
    const only = span('a', undefined, 0, { duration_ms: 0 });
    expect(barOf(only, extentOf([only]))).toMatchObject({ left: 0, width: 0 });
    expect(extentOf([])).toEqual({ from: 0, to: 1 });
  });
  it('marks round steps', () => {
    expect(scaleMarks(1_000)).toEqual([0, 200, 400, 600, 800, 1_000]);
    expect(scaleMarks(730)).toEqual([0, 200, 400, 600]);
  });
});

it('opens the deepest failure, or the first model call', () => {
  const failing = [
    span('a', undefined, 0, { status: 'error' }),
    span('b', 'a', 1, { status: 'error' }),
    span('c', 'a', 2, { kind: 'llm' }),
  ];
  expect(spanToOpen(buildForest(failing))).toBe('b');
  expect(spanToOpen(buildForest([span('a'), span('c', 'a', 2, { kind: 'llm' })]))).toBe('c');
  expect(spanToOpen([])).toBeUndefined();
});
