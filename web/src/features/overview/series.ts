import type { Row } from '@/shared/data/query';
import { bucketStarts, type Values } from '@/shared/chart/stack';

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

export interface Timeline {
  times: number[];
  /** A column over time; buckets without rows hold `gap`. */
  column: (pick: string | ((row: Row) => number | null), gap: number | null) => Values;
}

const startOf = (row: Row): number => Date.parse(String(row.bucket));

/** The rows of a query with buckets, on every bucket of the range. */
export function timelineOf(rows: Row[], bounds: { from: number; to: number }, width: number): Timeline {
  const times = bucketStarts(bounds.from, bounds.to, width);
  const byStart = new Map(rows.map((row) => [Math.floor(startOf(row) / width) * width, row]));
  return {
    times,
    column: (pick, gap) =>
      times.map((time) => {
        const row = byStart.get(time);
        if (!row) return gap;
        return typeof pick === 'string' ? (numberOf(row[pick]) ?? gap) : pick(row);
      }),
  };
}

export interface Group {
  name: string;
  values: Values;
  total: number;
}

/** One series a group, the largest first; what goes beyond `most` is one series `other`. */
export function groupsOf(
  rows: Row[],
  by: string,
  measure: string,
  timeline: Timeline,
  width: number,
  most = 6,
): Group[] {
  const groups = new Map<string, Map<number, number>>();
  for (const row of rows) {
    const name = typeof row[by] === 'string' ? row[by] : 'unknown';
    const group = groups.get(name) ?? new Map<number, number>();
    groups.set(name, group);
    const start = Math.floor(startOf(row) / width) * width;
    group.set(start, (group.get(start) ?? 0) + (numberOf(row[measure]) ?? 0));
  }
  const total = (group: Map<number, number>): number =>
    [...group.values()].reduce((sum, value) => sum + value, 0);
  const sorted = [...groups]
    .map(([name, group]) => ({ name, group, total: total(group) }))
    .filter((one) => one.total > 0)
    .sort((a, b) => b.total - a.total || a.name.localeCompare(b.name));
  const valuesOf = (members: typeof sorted): Values =>
    timeline.times.map((time) => members.reduce((sum, one) => sum + (one.group.get(time) ?? 0), 0));
  const shown: Group[] = sorted
    .slice(0, most)
    .map((one) => ({ name: one.name, values: valuesOf([one]), total: one.total }));
  const rest = sorted.slice(most);
  if (rest.length > 0) {
    shown.push({
      name: `other (${rest.length})`,
      values: valuesOf(rest),
      total: rest.reduce((sum, one) => sum + one.total, 0),
    });
  }
  return shown;
}

/** Tokens by class without overlap: input holds what was cached, output holds reasoning. */
export function tokenClasses(row: Row): {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
  reasoning: number;
} {
  const of = (name: string): number => numberOf(row[name]) ?? 0;
  const [cacheRead, cacheWrite, reasoning] = [
    of('cache_read_tokens'),
    of('cache_write_tokens'),
    of('reasoning_tokens'),
  ];
  return {
    input: Math.max(0, of('input_tokens') - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    output: Math.max(0, of('output_tokens') - reasoning),
    reasoning,
  };
}
