import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { WantedSilence } from '@/api/types';
import { every } from '@/shared/data/every';

const key = (what: string): string[] => ['alerting', what];

export const channelsQuery = queryOptions({
  queryKey: key('channels'),
  queryFn: ({ signal }) => call(api.GET('/api/v1/channels', { signal })),
  refetchInterval: every(30_000),
});

export const messagesQuery = queryOptions({
  queryKey: key('messages'),
  queryFn: ({ signal }) => call(api.GET('/api/v1/messages', { signal })),
  refetchInterval: every(5_000),
});

export const silencesQuery = queryOptions({
  queryKey: key('silences'),
  queryFn: ({ signal }) => call(api.GET('/api/v1/silences', { signal })),
  refetchInterval: every(15_000),
});

export const testChannel = (name: string) =>
  call(api.POST('/api/v1/channels/{name}/test', { params: { path: { name } } }));

export const retryMessage = (id: string) =>
  call(api.POST('/api/v1/messages/{id}/retry', { params: { path: { id } } }));

export const makeSilence = (body: WantedSilence) => call(api.POST('/api/v1/silences', { body }));

export const endSilence = (id: string) =>
  call(api.DELETE('/api/v1/silences/{id}', { params: { path: { id } } }));
