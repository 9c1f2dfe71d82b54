import { expect, it } from 'vitest';

import type { Run } from '@/api/types';
import { readDatasetSearch } from '@/shared/url/dataset-search';

import { measuredOf } from './runs';

const spread = { n: 4, min: 0, p10: 0, p25: 0, p50: 0, p75: 1, p90: 1, max: 1 };

it('tells what came out of a run: metrics with a mean, the first ones', () => {
  const run = {
    summary: {
      errors: 0,
      metrics: [
        { metric: 'tone', errors: 4 },
        { metric: 'rouge1', errors: 0, values: { ...spread, mean: 0.25 }, pass_rate: 0.5 },
        { metric: 'bleu', errors: 0, values: { ...spread, mean: 30 } },
      ],
    },
  } as Run;
  expect(measuredOf(run, 1)).toEqual([{ metric: 'rouge1', mean: 0.25, passing: 0.5 }]);
  expect(measuredOf(run, 5).map(({ metric }) => metric)).toEqual(['rouge1', 'bleu']);
  expect(measuredOf({} as Run, 5)).toEqual([]);
});

it('has an address of its own for the runs of a dataset', () => {
  expect(readDatasetSearch({ view: 'runs', version: 'v2' })).toMatchObject({ view: 'runs', version: 'v2' });
  expect(readDatasetSearch({ view: 'run' }).view).toBeUndefined();
});
