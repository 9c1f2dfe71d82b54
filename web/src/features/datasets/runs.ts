import type { Run } from '@/api/types';

/** A run that asked the items of a version. */
export type DatasetRun = Run & { dataset_version?: string };

export interface Measured {
  metric: string;
  mean: number;
  passing?: number;
}

/** What came out of a run, of so many metrics. */
export const measuredOf = (run: Run, most: number): Measured[] =>
  (run.summary?.metrics ?? [])
    .flatMap(({ metric, values, pass_rate }) =>
      values ? [{ metric, mean: values.mean, passing: pass_rate }] : [],
    )
    .slice(0, most);
