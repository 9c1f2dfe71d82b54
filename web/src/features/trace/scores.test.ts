import { expect, it } from 'vitest';

import type { TraceScore } from '@/api/types';

import {
  draftOfScore,
  emptyDraft,
  isOwn,
  isSaid,
  named,
  ownBefore,
  scoresOf,
  toneOf,
  toScore,
  toWithdrawal,
  wordOf,
} from './scores';

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

const target = { traceId: 't', spanId: 'a', author: 'Ann' };

it('says what a person judged, on each scale', () => {
  const thumb = toScore({ ...emptyDraft, passed: false, reason: ' Wrong town. ' }, target);
  expect(thumb).toMatchObject({
    trace_id: 't',
    span_id: 'a',
    name: 'correctness',
    passed: false,
    value: 0,
    reason: 'Wrong town.',
    source: 'review',
    author: 'Ann',
  });
  const stars = named({ ...emptyDraft, value: 4 }, 'helpfulness');
  expect(stars.scale).toBe('points');
  expect(toScore(stars, target)).toMatchObject({ name: 'helpfulness', value: 4 });
  expect(toScore(stars, target).passed).toBeUndefined();
  const kind = { ...named(emptyDraft, 'tone'), label: ' rude ' };
  expect(toScore(kind, target)).toMatchObject({ name: 'tone', label: 'rude' });
  expect(named(stars, 'anything').scale).toBe('points');
});

it('wants something said before it is saved', () => {
  expect(isSaid(emptyDraft)).toBe(false);
  expect(isSaid({ ...emptyDraft, passed: true })).toBe(true);
  expect(isSaid({ ...emptyDraft, passed: true, name: ' ' })).toBe(false);
  expect(isSaid({ ...emptyDraft, scale: 'points' })).toBe(false);
  expect(isSaid({ ...emptyDraft, scale: 'category', label: ' ' })).toBe(false);
});

it('replaces and takes back one’s own score, and nobody else’s', () => {
  const own = score({ id: 'r', name: 'tone', label: 'rude', source: 'review', author: 'Ann', span_id: 'a' });
  const others = [
    { ...own, author: 'Bob' },
    { ...own, source: 'judge' as const },
  ];
  expect(isOwn(own, 'Ann')).toBe(true);
  expect(others.some((one) => isOwn(one, 'Ann'))).toBe(false);
  expect(isOwn(own, undefined)).toBe(false);
  expect(ownBefore([...others, own], 'tone ', 'a', 'Ann')).toBe(own);
  expect(ownBefore([own], 'tone', undefined, 'Ann')).toBeUndefined();
  const changed = toScore({ ...draftOfScore(own), label: 'fitting' }, { ...target, before: own });
  expect(changed).toMatchObject({ id: 'r', time: own.time, label: 'fitting' });
  const gone = toWithdrawal(own, target);
  expect(gone).toMatchObject({ id: 'r', span_id: 'a', label: 'withdrawn' });
  expect(gone.value ?? gone.passed).toBeUndefined();
  expect(scoresOf([{ ...own, label: 'withdrawn' }], 'a')).toEqual([]);
});
