import { expect, it } from 'vitest';

import { mostLines, scoreLines, scoresQuestion } from './scores';

const minute = 60_000;
const at = (n: number): string => new Date(n * minute).toISOString();
const row = (
  n: number,
  name: string,
  weight: string | null,
  values: number,
  total: number,
  passes: number,
) => ({
  bucket: at(n),
  name,
  'metadata.weight': weight,
  scores: values,
  values,
  total,
  verdicts: values,
  passes,
});

it('weighs sampled scores by what they stand for', () => {
  const rows = [row(0, 'a', '10', 2, 0, 0), row(0, 'a', '1', 10, 10, 10), row(2, 'a', null, 4, 1, 1)];
  const { times, lines } = scoreLines(rows, { from: 0, to: 3 * minute }, minute);
  expect(times).toHaveLength(3);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ name: 'a', scores: 16, passRate: [10 / 30, null, 0.25] });
  expect(lines[0]?.mean).toEqual([10 / 30, null, 0.25]);
});

it('leaves out what nobody said, and keeps to the most frequent names', () => {
  const rows = [
    { ...row(0, 'label-only', null, 0, 0, 0), scores: 5 },
    ...Array.from({ length: 9 }, (_, i) => row(0, `n${i}`, null, i + 10, i + 10, i)),
  ];
  const { lines } = scoreLines(rows, { from: 0, to: minute }, minute);
  expect(lines.map(({ name }) => name)).toEqual(['n8', 'n7', 'n6', 'n5', 'n4', 'n3', 'n2']);
  expect(lines).toHaveLength(mostLines);
  const alone = scoreLines(rows.slice(0, 1), { from: 0, to: minute }, minute).lines[0];
  expect(alone).toMatchObject({ passRate: [null], mean: [null] });
});

it('asks a question that anybody can ask', () => {
  expect(scoresQuestion({ from: 'now-1h', to: 'now' })).toMatchObject({ table: 'scores', bucket: '1m' });
});
