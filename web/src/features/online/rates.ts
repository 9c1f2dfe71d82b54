import type { Query } from '@/api/types';
import type { Row } from '@/shared/data/query';

const rateMinutes = 15;

/** How many scores each rule gave to what ended in the last minutes. */
export const ratesQuestion: Query = {
  table: 'scores',
  time: { from: `now-${rateMinutes}m`, to: 'now' },
  filter: { field: 'metadata.rule', op: 'exists' },
  group_by: ['metadata.rule'],
  measures: [{ fn: 'count', as: 'scores' }],
  limit: 1_000,
};

/** Scores a minute, by rule. */
export const ratesOf = (rows: Row[]): Map<string, number> =>
  new Map(rows.map((row) => [String(row['metadata.rule']), Number(row.scores) / rateMinutes]));
