import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { Incident } from '@/api/types';
import { every } from '@/shared/data/every';

/** Incidents that are listed at once. */
export const MOST = 200;

export const incidentsQuery = (status: 'active' | undefined) =>
  queryOptions({
    queryKey: ['incidents', status],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/incidents', { params: { query: { status, limit: MOST } }, signal })),
    refetchInterval: every(5_000),
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ['incidents', 'one', id],
    queryFn: ({ signal }) => call(api.GET('/api/v1/incidents/{id}', { params: { path: { id } }, signal })),
    refetchInterval: every(5_000),
  });

/** The values around it. What is over doesn't change any more. */
export const historyQuery = ({ id, status }: Pick<Incident, 'id' | 'status'>) =>
  queryOptions({
    queryKey: ['incidents', 'history', id, status],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/incidents/{id}/history', { params: { path: { id } }, signal })),
    staleTime: 30_000,
    refetchInterval: status === 'resolved' ? false : 60_000,
    retry: false,
  });

const path = (id: string) => ({ path: { id } });

export const acknowledge = (id: string, note: string) =>
  call(api.POST('/api/v1/incidents/{id}/acknowledge', { params: path(id), body: { note } }));

export const resolve = (id: string, note: string) =>
  call(api.POST('/api/v1/incidents/{id}/resolve', { params: path(id), body: { note } }));

export const note = (id: string, text: string) =>
  call(api.POST('/api/v1/incidents/{id}/notes', { params: path(id), body: { note: text } }));

export const silence = (monitor: string, until: string, reason: string) =>
  call(
    api.POST('/api/v1/silences', {
      body: { matchers: [{ label: 'monitor', is: monitor }], until, reason },
    }),
  );

export const lookInto = (id: string) => call(api.POST('/api/v1/incidents/{id}/look', { params: path(id) }));

export const runAction = (id: string, number: number) =>
  call(api.POST('/api/v1/incidents/{id}/actions/{number}', { params: { path: { id, number } } }));
