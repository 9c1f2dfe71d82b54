import { expect, it } from 'vitest';

import type { Finding } from '@/api/types';
import { formatMicros } from '@/shared/format/numbers';

import { piecesOf } from './marked';
import { linesOf, questionsFor } from './questions';

const finding = (start: number, end: number, more: Partial<Finding> = {}): Finding => ({
  scanner: 'secrets',
  rule: 'key',
  severity: 'high',
  confidence: 0.9,
  place: 'input',
  start,
  end,
  action: 'flag',
  message: 'A key.',
  ...more,
});

it('marks what was found by bytes, also behind letters of several', () => {
  const pieces = piecesOf('é🏴 key!', [finding(7, 10)]);
  expect(pieces.map(({ text, findings }) => [text, findings.length])).toEqual([
    ['é🏴 ', 0],
    ['key', 1],
    ['!', 0],
  ]);
  expect(piecesOf('plain', [])).toEqual([{ text: 'plain', findings: [] }]);
  expect(piecesOf('', [])).toEqual([]);
});

it('shows the strongest first where findings overlap', () => {
  const pieces = piecesOf('abcdef', [finding(0, 4), finding(2, 6, { action: 'block' })]);
  expect(pieces.map(({ text, findings }) => [text, findings.map((one) => one.action)])).toEqual([
    ['ab', ['flag']],
    ['cd', ['block', 'flag']],
    ['ef', ['block']],
  ]);
});

it('tells microseconds', () => {
  expect([0.4, 12.34, 1_234, 45_600].map(formatMicros)).toEqual(['0.4 µs', '12 µs', '1.2 ms', '46 ms']);
});

it('puts scanners on every bucket of the range, the most frequent first', () => {
  const at = (minute: number): string => new Date(minute * 60_000).toISOString();
  const range = { from: at(0), to: at(60) };
  const row = (minute: number, scanner: string | null, findings: number, other = false) => ({
    bucket: at(minute),
    scanner,
    findings,
    other,
  });
  const { times, lines } = linesOf([row(0, 'pii', 1), row(2, 'secrets', 5), row(2, null, 2, true)], range, 0);
  expect(times).toHaveLength(60);
  expect(lines.map(({ name, values }) => [name, values[0], values[2]])).toEqual([
    ['secrets', 0, 5],
    ['all others', 0, 2],
    ['pii', 1, 0],
  ]);
});

it('asks for one scanner where one is picked', () => {
  const range = { from: 'now-1h', to: 'now' };
  expect(questionsFor(range).recent.filter).toBeUndefined();
  expect(questionsFor(range, 'pii').recent.filter).toEqual({ field: 'scanner', op: '=', value: 'pii' });
});
