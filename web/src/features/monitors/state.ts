import type { Backtest, Monitor } from '@/api/types';
import type { Tone } from '@/shared/ui/badge';

export const phaseTone: Record<Monitor['phase'], Tone> = {
  ok: 'ok',
  pending: 'warn',
  firing: 'error',
  recovering: 'warn',
};

type Tested = Backtest['series'][number];

export interface Drawn {
  times: number[];
  bucketMs: number;
  value: (number | null)[];
  low: (number | null)[] | undefined;
  high: (number | null)[] | undefined;
}

/** A tested series as lines: its value, and the band or the limit where there is one. */
export function drawn(series: Tested): Drawn {
  const { points } = series;
  const times = points.map((point) => Date.parse(point.at));
  const line = (pick: (point: Tested['points'][number]) => number | undefined) => {
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

/** The kind of its condition. */
export const kindOf = (definition: object): string =>
  Object.keys((definition as { condition?: object }).condition ?? {})[0] ?? '';

/** The objective that it comes with. */
export const objectiveOf = (monitor: { name: string; source: string }): string | undefined =>
  monitor.source === 'objective' ? monitor.name.replace(/^objective\./, '') : undefined;
