import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { answerQuery, statusQuery } from '@/shared/data/query';

import { reachOf, type Target } from './erasure';

/** More often than where only the version is shown. */
export const storeQuery = { ...statusQuery, refetchInterval: 5_000 };

export const runningQuery = queryOptions({
  queryKey: ['running-queries'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/queries', { signal })),
  // Without any answer yet, the person decides when to try again.
  refetchInterval: ({ state }) => (state.data ? 2_000 : false),
});

export const erasuresQuery = queryOptions({
  queryKey: ['erasures'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/erasures', { signal })),
});

/** Counted anew each time that somebody asks. */
export const reachQuery = (target: Target) => ({
  ...answerQuery(reachOf(target)),
  placeholderData: undefined,
  gcTime: 0,
});

export const erase = ({ kind, value }: Target) =>
  call(api.POST('/api/v1/erasures', { body: { [kind.by]: value } }));
