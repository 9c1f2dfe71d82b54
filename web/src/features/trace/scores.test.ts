import { expect, it } from 'vitest';

import type { TraceScore } from '@/api/types';

import { scoresOf, toneOf, wordOf } from './scores';

const score = (more: Partial<TraceScore>): TraceScore => ({
  id: 's',
  name: 'helpfulness',
  time: '2026-11-24T10:00:00.000000Z',
  source: 'api',
  ...more,
});

it('says the value, the label, or the verdict', () => {
  expect(wordOf(score({ value: 0.5 }))).toBe('0.5');
  expect(wordOf(score({ value: 0 }))).toBe('0');
  expect(wordOf(score({ value: 0.123456 }))).toBe('0.12');
  expect(wordOf(score({ value: 87.4, passed: true }))).toBe('87');
  expect(wordOf(score({ value: 1, label: 'good' }))).toBe('1 · good');
  expect(wordOf(score({ passed: false }))).toBe('failed');
});

it('colours verdicts only', () => {
  expect(toneOf(score({ value: 0 }))).toBe('neutral');
  expect(toneOf(score({ passed: true }))).toBe('ok');
  expect(toneOf(score({ value: 1, passed: false }))).toBe('error');
});

it('tells scores of the trace from those of a span', () => {
  const scores = [
    score({ id: 'trace' }),
    score({ id: 'span', span_id: 'a' }),
    score({ id: 'other', span_id: 'b' }),
  ];
  expect(scoresOf(scores).map(({ id }) => id)).toEqual(['trace']);
  expect(scoresOf(scores, 'a').map(({ id }) => id)).toEqual(['span']);
});
