import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { Filter, Query } from '@/api/types';
import { bucketFor, type Range } from '@/shared/time/range';

export interface TracesWanted {
  range: Range;
  q?: string;
  filter?: Filter;
}

const pageSize = 50;

export function fetchTraces(
  { range, q, filter }: TracesWanted,
  cursor: string | undefined,
  signal?: AbortSignal,
) {
  const query = { ...range, q, filter: filter && JSON.stringify(filter), limit: pageSize, cursor };
  return call(api.GET('/api/v1/traces', { params: { query }, signal }));
}

/** Traces, newest first, page by page. */
export const tracesQuery = (wanted: TracesWanted) =>
  infiniteQueryOptions({
    queryKey: ['traces', wanted],
    queryFn: ({ pageParam, signal }) => fetchTraces(wanted, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    // Live updates are merged in; reading all pages again would move what somebody reads.
    refetchOnWindowFocus: false,
    staleTime: 30_000,
  });

/** Spans over time, for the strip above the list. */
export const volumeQuestion = ({ range, q, filter }: TracesWanted): Query => ({
  table: 'spans',
  time: range,
  filter,
  search: q,
  measures: [
    { fn: 'count', as: 'spans' },
    { fn: 'count', filter: { field: 'status', op: '=', value: 'error' }, as: 'errors' },
  ],
  bucket: bucketFor(range).text,
  limit: 1_000,
});
