import type { Row } from '@/shared/data/query';
import { bucketStarts, type Values } from '@/shared/chart/stack';
import { type Chip, chipIs } from '@/shared/url/filters';

export const numberOf = (value: unknown): number | null =>
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
  /** Spans without a value, or those of all values that have no series of their own. */
  kind: 'one' | 'unknown' | 'other';
  values: Values;
  total: number;
}

/** One series a group of a query with `top`, the largest first; what the store summed up of all others is the last. */
export function groupsOf(
  rows: Row[],
  by: string,
  measure: string,
  timeline: Timeline,
  width: number,
): Group[] {
  const groups = new Map<string, { name: string; kind: Group['kind']; at: Map<number, number> }>();
  for (const row of rows) {
    const value = row[by];
    const kind = row.other === true ? 'other' : typeof value === 'string' ? 'one' : 'unknown';
    // A model may itself be called `other`.
    const name = kind === 'one' ? String(value) : kind === 'other' ? 'all others' : kind;
    const key = `${kind} ${name}`;
    const group = groups.get(key) ?? { name, kind, at: new Map<number, number>() };
    groups.set(key, group);
    const start = Math.floor(startOf(row) / width) * width;
    group.at.set(start, (group.at.get(start) ?? 0) + (numberOf(row[measure]) ?? 0));
  }
  const last = (group: Group): number => (group.kind === 'other' ? 1 : 0);
  return [...groups.values()]
    .map(({ name, kind, at }): Group => {
      const total = [...at.values()].reduce((sum, value) => sum + value, 0);
      return { name, kind, total, values: timeline.times.map((time) => at.get(time) ?? 0) };
    })
    .filter((group) => group.total > 0)
    .sort((a, b) => last(a) - last(b) || b.total - a.total || a.name.localeCompare(b.name));
}

/** A colour for each group; one that has a colour `elsewhere` on the page keeps it. */
export function colorsOf(
  groups: Group[],
  palette: string[],
  rest: string,
  elsewhere = new Map<string, string>(),
): Map<string, string> {
  const own = groups.filter((group) => group.kind !== 'other').map((group) => group.name);
  const kept = new Set(own.map((name) => elsewhere.get(name)));
  const free = palette.filter((color) => !kept.has(color));
  return new Map(own.map((name) => [name, elsewhere.get(name) ?? free.shift() ?? rest]));
}

/** The filters that leave the spans of a group. */
export function chipsOf(group: Group, groups: Group[], by: string): Chip[] {
  if (group.kind === 'one') return [chipIs(by, group.name)];
  if (group.kind === 'unknown') return [];
  const named = groups.filter((one) => one.kind === 'one').map((one) => one.name);
  const others: Chip = { field: by, op: 'not_in', value: named };
  // Without a value is also none of them.
  const hasUnknown = groups.some((one) => one.kind === 'unknown');
  return hasUnknown ? [others, { field: by, op: 'exists', value: undefined }] : [others];
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
