import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { ComparedItemsAsk } from '@/api/types';

/** A run that goes on gains items: pages look again. */
const refreshMs = 5_000;

export const experimentsQuery = queryOptions({
  queryKey: ['experiments'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/experiments', { signal })),
  refetchInterval: ({ state }) =>
    state.data?.experiments.some(({ last_run }) => last_run?.status === 'running') ? refreshMs : false,
});

export const experimentQuery = (name: string) =>
  queryOptions({
    queryKey: ['experiments', name],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/experiments/{name}', { params: { path: { name } }, signal })),
    refetchInterval: ({ state }) =>
      state.data?.latest_runs.some(({ status }) => status === 'running') ? refreshMs : false,
  });

export const comparisonQuery = (ids: string, baseline: string) =>
  queryOptions({
    queryKey: ['comparison', ids, baseline],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/runs/compare', { params: { query: { ids, baseline } }, signal })),
    staleTime: 60_000,
  });

export const comparedItemsQuery = (ask: ComparedItemsAsk) =>
  queryOptions({
    queryKey: ['comparison', 'items', ask],
    queryFn: ({ signal }) => call(api.GET('/api/v1/runs/compare/items', { params: { query: ask }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const pinBaseline = ({ name, run }: { name: string; run: string }) =>
  call(api.PUT('/api/v1/experiments/{name}/baseline', { params: { path: { name } }, body: { run } }));

export const unpinBaseline = (name: string) =>
  call(api.DELETE('/api/v1/experiments/{name}/baseline', { params: { path: { name } } }));

export const deleteRun = (id: string) => call(api.DELETE('/api/v1/runs/{id}', { params: { path: { id } } }));

export const deleteExperiment = (name: string) =>
  call(api.DELETE('/api/v1/experiments/{name}', { params: { path: { name } } }));
