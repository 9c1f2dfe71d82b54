import type { Measure, Query } from '@/api/types';
import { bucketStarts, type Values } from '@/shared/chart/stack';
import type { Row } from '@/shared/data/query';
import { boundsOf, bucketFor, type Range } from '@/shared/time/range';

/** Scanners that have a colour in the chart. */
const mostSeries = 6;
/** Findings in the feed. */
const mostFindings = 100;

const counted = (as: string, ...actions: string[]): Measure => ({
  fn: 'count',
  filter: { field: 'action', op: 'in', value: actions },
  as,
});

/** Every question of the page about a range; of one scanner, if one is picked. */
export function questionsFor(
  range: Range,
  scanner?: string,
): Record<'byScanner' | 'overTime' | 'recent', Query> {
  const about: Query = { table: 'findings', time: range };
  return {
    byScanner: {
      ...about,
      measures: [
        { fn: 'count', as: 'findings' },
        counted('flag', 'flag'),
        counted('redact', 'redact', 'tokenise'),
        counted('block', 'block', 'rewrite'),
      ],
      group_by: ['scanner'],
      order: [{ by: 'findings', desc: true }],
      limit: 100,
    },
    overTime: {
      ...about,
      measures: [{ fn: 'count', as: 'findings' }],
      group_by: ['scanner'],
      top: mostSeries,
      bucket: bucketFor(range).text,
      limit: 10_000,
    },
    recent: {
      ...about,
      ...(scanner && { filter: { field: 'scanner', op: '=', value: scanner } }),
      select: [
        'time',
        'trace_id',
        'span_id',
        'number',
        'scanner',
        'rule',
        'severity',
        'confidence',
        'place',
        'action',
        'message',
      ],
      limit: mostFindings,
    },
  };
}

/** One line a scanner over every bucket of the range, the most frequent first. */
export function linesOf(
  rows: Row[],
  range: Range,
  now: number,
): { times: number[]; lines: { name: string; values: Values }[] } {
  const width = bucketFor(range).ms;
  const { from, to } = boundsOf(range, now);
  const times = bucketStarts(from, to, width);
  const found = new Map<string, { total: number; at: Map<number, number> }>();
  for (const row of rows) {
    const name = row.other === true ? 'all others' : String(row.scanner);
    const line = found.get(name) ?? { total: 0, at: new Map<number, number>() };
    found.set(name, line);
    const count = typeof row.findings === 'number' ? row.findings : 0;
    const start = Math.floor(Date.parse(String(row.bucket)) / width) * width;
    line.total += count;
    line.at.set(start, (line.at.get(start) ?? 0) + count);
  }
  const ordered = [...found].sort(([, a], [, b]) => b.total - a.total);
  return {
    times,
    lines: ordered.map(([name, { at }]) => ({ name, values: times.map((time) => at.get(time) ?? 0) })),
  };
}
