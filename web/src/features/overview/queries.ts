import type { Filter, Measure, Query } from '@/api/types';
import type { Row } from '@/shared/data/query';
import { boundsOf, bucketFor, previousRange, type Range } from '@/shared/time/range';
import { type Chip, toFilter } from '@/shared/url/filters';

/** The calls of models, each once: what this page counts. The store marks which span of a call counts. */
export const isCall: Chip = { field: 'counted', op: '=', value: true };
const failed: Filter = { field: 'status', op: '=', value: 'error' };
const verdictIs = (verdict: string): Filter => ({ field: 'verdict', op: '=', value: verdict });

/** What `span_minutes` can be filtered by. */
const summedFields = new Set([
  'kind',
  'provider',
  'model',
  'environment',
  'service_name',
  'prompt_name',
  'prompt_version',
  'status',
  'error_type',
  'verdict',
  'duration_ms',
]);
const dayMs = 86_400_000;

/** Long ranges are answered from sums by minute: some thousand rows in place of millions of spans, and they are
 * kept longer. */
function asksForSums(range: Range, chips: Chip[]): boolean {
  const { from, to } = boundsOf(range);
  return to - from >= dayMs && chips.every((chip) => summedFields.has(chip.field));
}

const ttftMeasures: Measure[] = [
  { fn: 'p50', column: 'ttft_ms', as: 'ttft_p50' },
  { fn: 'p95', column: 'ttft_ms', as: 'ttft_p95' },
];
const measures: Measure[] = [
  { fn: 'count', as: 'requests' },
  { fn: 'count', filter: failed, as: 'errors' },
  { fn: 'p50', column: 'duration_ms', as: 'latency_p50' },
  { fn: 'p95', column: 'duration_ms', as: 'latency_p95' },
  { fn: 'p99', column: 'duration_ms', as: 'latency_p99' },
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
  /** Times to the first token, where the others ask for sums, which know none. */
  first?: Pick<Questions, 'now' | 'before' | 'overTime' | 'byModel'>;
}

/** Every question of the page about a range. */
export function questionsFor(range: Range, chips: Chip[]): Questions {
  const filter = toFilter([isCall, ...chips]);
  const sums = asksForSums(range, chips);
  const ofSpans: Query = { table: 'spans', time: range, filter };
  const about: Query = sums ? { ...ofSpans, table: 'span_minutes' } : ofSpans;
  const bucket = bucketFor(range).text;
  const before = previousRange(range);
  const all = sums ? measures : [...measures, ...ttftMeasures];
  const largest = { group_by: ['model'], order: [{ by: 'requests', desc: true }], top: mostRows };
  // The greatest by the first measure, so that each chart has a question of its own. The store adds the others up.
  const overTimeBy = (measure: Measure): Query => ({
    ...about,
    measures: [measure],
    group_by: ['model'],
    top: mostSeries,
    bucket,
    limit: 10_000,
  });
  const first: Questions['first'] = {
    now: { ...ofSpans, measures: ttftMeasures },
    before: { ...ofSpans, time: before, measures: ttftMeasures },
    overTime: { ...ofSpans, measures: ttftMeasures, bucket, limit: 1_000 },
    byModel: { ...ofSpans, ...largest, measures: [{ fn: 'count', as: 'requests' }, ...ttftMeasures] },
  };
  return {
    ...(sums && { first }),
    now: { ...about, measures: all },
    before: { ...about, time: before, measures: all },
    overTime: { ...about, measures: all, bucket, limit: 1_000 },
    byModel: {
      ...about,
      ...largest,
      measures: [
        { fn: 'count', as: 'requests' },
        { fn: 'count', filter: failed, as: 'errors' },
        { fn: 'p50', column: 'duration_ms', as: 'latency_p50' },
        { fn: 'p95', column: 'duration_ms', as: 'latency_p95' },
        ...(sums ? [] : ttftMeasures),
        { fn: 'sum', column: 'total_tokens', as: 'tokens' },
        { fn: 'sum', column: 'cost', as: 'cost' },
      ],
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

/** The rows with what another answer knows of the same bucket or model. */
export function joined(rows: Row[], others: Row[]): Row[] {
  const keyOf = (row: Row): string =>
    JSON.stringify([row.bucket ?? null, row.model ?? null, row.other ?? false]);
  const byKey = new Map(others.map((row) => [keyOf(row), row]));
  return rows.map((row) => ({ ...byKey.get(keyOf(row)), ...row }));
}
