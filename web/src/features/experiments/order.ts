import type { Run } from '@/api/types';

import { meanOf } from './figures';

/** What the runs of an experiment are sorted by: `started`, `items`, `latency`, `cost` or `metric:<name>`. */
export interface RunOrder {
  by: string;
  down: boolean;
}

function valueOf(run: Run, by: string): number | undefined {
  if (by === 'started') return Date.parse(run.started_at);
  if (by === 'items') return run.items;
  if (by === 'latency') return run.summary?.latency_ms?.p50;
  if (by === 'cost') return run.summary?.cost;
  return meanOf(run, by.replace(/^metric:/, ''));
}

/** Sorted; what is unknown comes last, whichever way. */
export function sortedRuns(runs: Run[], { by, down }: RunOrder): Run[] {
  const sign = down ? -1 : 1;
  return [...runs].sort((a, b) => {
    const [left, right] = [valueOf(a, by), valueOf(b, by)];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined);
    return (left - right) * sign;
  });
}
