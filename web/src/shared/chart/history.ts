import type { Backtest } from '@/api/types';

import type { Stretch } from './series-chart';

export type TestedSeries = Backtest['series'][number];

export interface Drawn {
  /** Where windows end. */
  times: number[];
  bucketMs: number;
  value: (number | null)[];
  low: (number | null)[] | undefined;
  high: (number | null)[] | undefined;
}

/** A tested series as lines: its value, and the band or the limit where there is one. */
export function drawn(series: TestedSeries): Drawn {
  const { points } = series;
  const times = points.map((point) => Date.parse(point.at));
  const line = (pick: (point: TestedSeries['points'][number]) => number | undefined) => {
    const values = points.map((point) => pick(point) ?? null);
    return values.some((value) => value !== null) ? values : undefined;
  };
  return {
    times,
    // Windows in which nothing was are left out.
    bucketMs: Math.max(1_000, Math.min(...times.slice(1).map((at, i) => at - (times[i] ?? 0)), 86_400_000)),
    value: line((point) => point.value) ?? [],
    low: line((point) => point.low),
    high: line((point) => point.high),
  };
}

/** From the first window of several series until the last one's end, so that they have one axis; none of none. */
export function spanOf(series: TestedSeries[]): Stretch | undefined {
  const ends = series.flatMap(({ points }) => [points[0], points.at(-1)]).flatMap((point) => point?.at ?? []);
  if (ends.length === 0) return undefined;
  const times = ends.map((at) => Date.parse(at));
  return [Math.min(...times), Math.max(...times)];
}

/** When it would have fired: from the first window that says so until it is over, or until `end`. */
export const firingsOf = ({ firings }: TestedSeries, end: number): Stretch[] =>
  firings.map(({ from, until }) => [Date.parse(from), until ? Date.parse(until) : end]);

/** What a series is called: the values of its labels. Rows that have none of a column are a series as well. */
export const nameOf = ({ labels }: Pick<TestedSeries, 'labels'>): string =>
  Object.entries(labels)
    .map(([label, value]) => value || `no ${label}`)
    .join(' · ');

/** A number as the server writes it in sentences. */
export const shown = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(4)));
