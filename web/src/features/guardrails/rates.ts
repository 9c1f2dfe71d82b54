import type { Measure, Query } from '@/api/types';
import type { Values } from '@/shared/chart/stack';
import type { Row } from '@/shared/data/query';
import { bucketFor, type Range } from '@/shared/time/range';

import { linesOf } from './questions';

/** What calls are told apart by. */
export const dimensions = {
  route: { field: 'attributes.signalbox.route.name', title: 'Route' },
  model: { field: 'model_requested', title: 'Model' },
  user: { field: 'user_id', title: 'User' },
  key: { field: 'key_id', title: 'Key' },
} as const;
export type Dimension = keyof typeof dimensions;

export const isDimension = (word: string): word is Dimension => word in dimensions;

const mostSeries = 6;
const mostRows = 50;

const counted = (verdict: string): Measure => ({
  fn: 'count',
  filter: { field: 'verdict', op: '=', value: verdict },
  as: verdict,
});
const measures: Measure[] = [
  { fn: 'count', as: 'calls' },
  counted('flag'),
  counted('redact'),
  counted('block'),
  { fn: 'count', filter: { field: 'verdict', op: 'in', value: ['flag', 'redact', 'block'] }, as: 'hit' },
];

/** Of the gateway's calls, how many were flagged, redacted and blocked, by a dimension. */
export function ratesFor(range: Range, dimension: Dimension): Record<'table' | 'overTime', Query> {
  const about: Query = {
    table: 'spans',
    time: range,
    filter: { field: 'source', op: '=', value: 'gateway' },
    group_by: [dimensions[dimension].field],
    measures,
  };
  return {
    table: { ...about, order: [{ by: 'hit', desc: true }], limit: mostRows },
    overTime: { ...about, top: mostSeries, bucket: bucketFor(range).text, limit: 10_000 },
  };
}

/** The share of calls with a finding, by what they are told apart by, over every bucket. */
export function sharesOf(
  rows: Row[],
  field: string,
  range: Range,
  now: number,
): { times: number[]; lines: { name: string; values: Values }[] } {
  const as = (measure: string): Row[] =>
    rows.map((row) => ({ ...row, scanner: row[field] ?? 'none', findings: row[measure] }));
  const calls = linesOf(as('calls'), range, now);
  const hits = new Map(linesOf(as('hit'), range, now).lines.map(({ name, values }) => [name, values]));
  const lines = calls.lines.map(({ name, values }) => ({
    name,
    values: values.map((count, i) => {
      const hit = hits.get(name)?.[i] ?? 0;
      return typeof count === 'number' && count > 0 ? hit / count : null;
    }),
  }));
  return { times: calls.times, lines };
}
