import type { Query } from '@/api/types';
import type { Values } from '@/shared/chart/stack';
import type { Row } from '@/shared/data/query';
import { bucketFor, type Range } from '@/shared/time/range';

import { numberOf, timelineOf } from './series';

/** Names that have a line. */
export const mostLines = 7;

/** Scores by name over time. By weight, too: a sampled score stands for as many spans as it weighs. */
export const scoresQuestion = (range: Range): Query => ({
  table: 'scores',
  time: range,
  group_by: ['name', 'metadata.weight'],
  measures: [
    { fn: 'count', as: 'scores' },
    { fn: 'count', column: 'value', as: 'values' },
    { fn: 'sum', column: 'value', as: 'total' },
    { fn: 'count', column: 'passed', as: 'verdicts' },
    { fn: 'count', filter: { field: 'passed', op: '=', value: true }, as: 'passes' },
  ],
  bucket: bucketFor(range).text,
  limit: 10_000,
});

export interface ScoreLine {
  name: string;
  /** Scores, each counted once. */
  scores: number;
  passRate: Values;
  mean: Values;
}

/** A line for each name, the most frequent first. Means and rates are those of all traffic, not of the samples. */
export function scoreLines(
  rows: Row[],
  bounds: { from: number; to: number },
  width: number,
): { times: number[]; lines: ScoreLine[] } {
  const sums = new Map<string, Map<unknown, Row>>();
  const counts = new Map<string, number>();
  for (const row of rows) {
    const name = String(row.name);
    const weight = Number(row['metadata.weight'] ?? 1);
    const times = Number.isFinite(weight) && weight > 0 ? weight : 1;
    const buckets = sums.get(name) ?? new Map<unknown, Row>();
    sums.set(name, buckets);
    const sum = buckets.get(row.bucket) ?? { bucket: row.bucket };
    buckets.set(row.bucket, sum);
    for (const field of ['values', 'total', 'verdicts', 'passes']) {
      sum[field] = (numberOf(sum[field]) ?? 0) + times * (numberOf(row[field]) ?? 0);
    }
    counts.set(name, (counts.get(name) ?? 0) + (numberOf(row.scores) ?? 0));
  }
  const share =
    (part: string, whole: string) =>
    (row: Row): number | null => {
      const [top, bottom] = [numberOf(row[part]) ?? 0, numberOf(row[whole]) ?? 0];
      return bottom > 0 ? top / bottom : null;
    };
  const lines = [...sums].map(([name, buckets]): ScoreLine => {
    const timeline = timelineOf([...buckets.values()], bounds, width);
    return {
      name,
      scores: counts.get(name) ?? 0,
      passRate: timeline.column(share('passes', 'verdicts'), null),
      mean: timeline.column(share('total', 'values'), null),
    };
  });
  lines.sort((a, b) => b.scores - a.scores || a.name.localeCompare(b.name));
  return { times: timelineOf([], bounds, width).times, lines: lines.slice(0, mostLines) };
}
