import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';

/** A trace and the skeleton of its spans. */
export const traceQuery = (traceId: string) =>
  queryOptions({
    queryKey: ['trace', traceId],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/traces/{trace_id}', { params: { path: { trace_id: traceId } }, signal })),
  });

/** Everything about one span. */
export const spanQuery = (traceId: string, spanId: string) =>
  queryOptions({
    queryKey: ['trace', traceId, 'span', spanId],
    queryFn: ({ signal }) => {
      const path = { trace_id: traceId, span_id: spanId };
      return call(api.GET('/api/v1/traces/{trace_id}/spans/{span_id}', { params: { path }, signal }));
    },
    staleTime: 60_000,
  });
