import type { Filter, Measure, Query } from '@/api/types';
import { bucketFor, previousRange, type Range } from '@/shared/time/range';
import { type Chip, toFilter } from '@/shared/url/filters';

/** The calls of models, each once: what this page counts. The store marks which span of a call counts. */
export const isCall: Chip = { field: 'counted', op: '=', value: true };
const failed: Filter = { field: 'status', op: '=', value: 'error' };
const verdictIs = (verdict: string): Filter => ({ field: 'verdict', op: '=', value: verdict });

const measures: Measure[] = [
  { fn: 'count', as: 'requests' },
  { fn: 'count', filter: failed, as: 'errors' },
  { fn: 'p50', column: 'duration_ms', as: 'latency_p50' },
  { fn: 'p95', column: 'duration_ms', as: 'latency_p95' },
  { fn: 'p99', column: 'duration_ms', as: 'latency_p99' },
  { fn: 'p50', column: 'ttft_ms', as: 'ttft_p50' },
  { fn: 'p95', column: 'ttft_ms', as: 'ttft_p95' },
  { fn: 'sum', column: 'input_tokens', as: 'input_tokens' },
  { fn: 'sum', column: 'output_tokens', as: 'output_tokens' },
  { fn: 'sum', column: 'cache_read_tokens', as: 'cache_read_tokens' },
  { fn: 'sum', column: 'cache_write_tokens', as: 'cache_write_tokens' },
  { fn: 'sum', column: 'reasoning_tokens', as: 'reasoning_tokens' },
  { fn: 'sum', column: 'cost', as: 'cost' },
  { fn: 'count', filter: verdictIs('flag'), as: 'flagged' },
  { fn: 'count', filter: verdictIs('redact'), as: 'redacted' },
  { fn: 'count', filter: verdictIs('block'), as: 'blocked' },
];

/** Models that have a colour in a chart over time. */
export const mostSeries = 6;
/** Models that have a row of their own. */
export const mostRows = 50;

export interface Questions {
  now: Query;
  before: Query;
  overTime: Query;
  byModel: Query;
  byModelOverTime: Query;
  costByModelOverTime: Query;
  errors: Query;
}

/** Every question of the page about a range. */
export function questionsFor(range: Range, chips: Chip[]): Questions {
  const filter = toFilter([isCall, ...chips]);
  const about: Query = { table: 'spans', time: range, filter };
  const bucket = bucketFor(range).text;
  // The greatest by the first measure, so that each chart has a question of its own. The store adds the others up.
  const overTimeBy = (measure: Measure): Query => ({
    ...about,
    measures: [measure],
    group_by: ['model'],
    top: mostSeries,
    bucket,
    limit: 10_000,
  });
  return {
    now: { ...about, measures },
    before: { ...about, time: previousRange(range), measures },
    overTime: { ...about, measures, bucket, limit: 1_000 },
    byModel: {
      ...about,
      measures: [
        { fn: 'count', as: 'requests' },
        { fn: 'count', filter: failed, as: 'errors' },
        { fn: 'p50', column: 'duration_ms', as: 'latency_p50' },
        { fn: 'p95', column: 'duration_ms', as: 'latency_p95' },
        { fn: 'p50', column: 'ttft_ms', as: 'ttft_p50' },
        { fn: 'sum', column: 'total_tokens', as: 'tokens' },
        { fn: 'sum', column: 'cost', as: 'cost' },
      ],
      group_by: ['model'],
      order: [{ by: 'requests', desc: true }],
      top: mostRows,
    },
    byModelOverTime: overTimeBy({ fn: 'count', as: 'requests' }),
    costByModelOverTime: overTimeBy({ fn: 'sum', column: 'cost', as: 'cost' }),
    errors: {
      table: 'spans',
      time: range,
      filter: toFilter(chips, failed),
      select: ['trace_id', 'span_id', 'start_time', 'name', 'kind', 'model', 'error_type', 'status_message'],
      limit: 8,
    },
  };
}
