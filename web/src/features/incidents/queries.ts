import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';

export const incidentsQuery = (status: 'active' | undefined) =>
  queryOptions({
    queryKey: ['incidents', status],
    queryFn: ({ signal }) => call(api.GET('/api/v1/incidents', { params: { query: { status } }, signal })),
    refetchInterval: 5_000,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ['incidents', 'one', id],
    queryFn: ({ signal }) => call(api.GET('/api/v1/incidents/{id}', { params: { path: { id } }, signal })),
    refetchInterval: 5_000,
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
