import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { OnlineRuleConfig } from '@/api/types';
import { every } from '@/shared/data/every';
import type { Range } from '@/shared/time/range';

export const rulesQuery = queryOptions({
  queryKey: ['online-rules'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/online-rules', { signal })),
  refetchInterval: every(5_000),
});

/** The metrics that there are: they change with the version only. */
export const metricsQuery = queryOptions({
  queryKey: ['metrics'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/metrics', { signal })),
  staleTime: Infinity,
});

/** What a rule's scores say of all traffic. */
export const summaryQuery = (name: string, range: Range) =>
  queryOptions({
    queryKey: ['online-summary', name, range],
    queryFn: ({ signal }) =>
      call(
        api.GET('/api/v1/online-rules/{name}/summary', { params: { path: { name }, query: range }, signal }),
      ),
  });

export const changesQuery = (name: string) =>
  queryOptions({
    queryKey: ['online-changes', name],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/online-rules/{name}/history', { params: { path: { name } }, signal })),
  });

export const previewRule = (rule: OnlineRuleConfig) =>
  call(api.POST('/api/v1/online-rules/preview', { body: rule }));

/** A new rule has no version yet. */
export const saveRule = ({ base, rule }: { base: number; rule: OnlineRuleConfig }) =>
  base === 0
    ? call(api.POST('/api/v1/online-rules', { body: rule }))
    : call(
        api.PUT('/api/v1/online-rules/{name}', {
          params: { path: { name: rule.name } },
          body: { base, rule },
        }),
      );

export const deleteRule = (name: string) =>
  call(api.DELETE('/api/v1/online-rules/{name}', { params: { path: { name } } }));

export const beginBackfill = ({ name, range }: { name: string; range: Range }) =>
  call(api.POST('/api/v1/online-rules/{name}/backfill', { params: { path: { name } }, body: range }));

export const cancelBackfill = (name: string) =>
  call(api.DELETE('/api/v1/online-rules/{name}/backfill', { params: { path: { name } } }));
