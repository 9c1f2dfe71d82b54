import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { EvaluateAsk } from '@/api/types';

/** The metrics: they change with the version only. */
export const metricsQuery = queryOptions({
  queryKey: ['metrics'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/metrics', { signal })),
  staleTime: Infinity,
});

export const evaluate = (body: EvaluateAsk) => call(api.POST('/api/v1/evaluate', { body }));
