import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { Answer, Query } from '@/api/types';

import { every } from './every';

export type Row = Record<string, unknown>;

/** The answer of one Query. While the next one is on its way, the last stays. */
export const answerQuery = (query: Query) =>
  queryOptions({
    queryKey: ['query', query],
    queryFn: ({ signal }) => call(api.POST('/api/v1/query', { body: query, signal })),
    placeholderData: keepPreviousData,
  });

/** Stops a query where it runs, whoever waits for it. */
export const cancelQuery = (id: string) =>
  call(api.DELETE('/api/v1/queries/{id}', { params: { path: { id } } }));

export const rowsOf = (answer: Answer | undefined): Row[] =>
  (answer?.rows ?? []).map((row) =>
    Object.fromEntries((answer?.columns ?? []).map((column, i) => [column.name, row[i]])),
  );

export const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** The tables and their columns: they change with the version only. */
export const tablesQuery = queryOptions({
  queryKey: ['tables'],
  queryFn: () => call(api.GET('/api/v1/tables')),
  staleTime: Infinity,
});

/** The fields that spans have, attributes included, or one of them with its frequent values. */
export const fieldsQuery = (field?: string) =>
  queryOptions({
    queryKey: ['fields', field],
    queryFn: ({ signal }) => call(api.GET('/api/v1/fields', { params: { query: { field } }, signal })),
    staleTime: 30_000,
  });

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/status', { signal })),
  refetchInterval: every(30_000),
});

/** Which configuration is in force; it is looked at twice a second, and here now and then. */
export const configQuery = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/config', { signal })),
  refetchInterval: every(15_000),
});

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/keys', { signal })),
});

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => call(api.GET('/api/v1/session', { signal })),
  staleTime: Infinity,
  retry: false,
});
