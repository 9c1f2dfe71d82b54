import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { every } from '@/shared/data/every';

export const monitorsQuery = queryOptions({
  queryKey: ['monitors'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/monitors', { signal })),
  refetchInterval: every(5_000),
});

export type Definition = Record<string, unknown>;

/** As the generated types have objects whose fields they don't know. */
const body = (definition: Definition) => definition as Record<string, never>;

/** What a monitor would have said of what was recorded. */
export const testQuery = (monitor: Definition, last: string) =>
  queryOptions({
    queryKey: ['monitors', 'test', monitor, last],
    queryFn: ({ signal }) =>
      call(api.POST('/api/v1/monitors/test', { body: { monitor: body(monitor), last }, signal })),
    staleTime: 60_000,
    retry: false,
  });

export const saveMonitor = (name: string, definition: Definition) =>
  call(api.PUT('/api/v1/monitors/{name}', { params: { path: { name } }, body: body(definition) }));

export const deleteMonitor = (name: string) =>
  call(api.DELETE('/api/v1/monitors/{name}', { params: { path: { name } } }));
