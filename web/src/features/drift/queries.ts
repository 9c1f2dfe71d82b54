import { queryOptions } from '@tanstack/react-query';

import { call } from '@/api/client';
import { every } from '@/shared/data/every';

import { type Definition, driftApi } from './types';

export const checksQuery = queryOptions({
  queryKey: ['drift'],
  queryFn: ({ signal }) => call(driftApi.GET('/api/v1/drift', { signal })),
  refetchInterval: every(10_000),
});

export const checkQuery = (name: string) =>
  queryOptions({
    queryKey: ['drift', name],
    queryFn: ({ signal }) =>
      call(driftApi.GET('/api/v1/drift/{name}', { params: { path: { name } }, signal })),
    refetchInterval: every(10_000),
  });

/** What a check would find now. */
export const testCheck = (check: Definition) =>
  call(driftApi.POST('/api/v1/drift/test', { body: { check } }));

export const saveCheck = (name: string, definition: Definition) =>
  call(driftApi.PUT('/api/v1/drift/{name}', { params: { path: { name } }, body: definition }));

export const runCheck = (name: string) =>
  call(driftApi.POST('/api/v1/drift/{name}/run', { params: { path: { name } } }));

export const deleteCheck = (name: string) =>
  call(driftApi.DELETE('/api/v1/drift/{name}', { params: { path: { name } } }));
