import type { Backtest } from '@/api/types';

export type TestedSeries = Backtest['series'][number];

export interface Drawn {
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
    bucketMs: Math.max(1_000, (times[1] ?? 0) - (times[0] ?? 0)),
    value: line((point) => point.value) ?? [],
    low: line((point) => point.low),
    high: line((point) => point.high),
  };
}

/** A number as the server writes it in sentences. */
export const shown = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(4)));
