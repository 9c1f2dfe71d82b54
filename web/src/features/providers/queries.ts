import { queryOptions } from '@tanstack/react-query';

import { api, ApiError, call } from '@/api/client';
import { every } from '@/shared/data/every';

export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/providers', { signal })),
  refetchInterval: every(5_000),
});

/** Stored credentials; null for who may not see them: only the first key may. */
export const credentialsQuery = queryOptions({
  queryKey: ['credentials'],
  queryFn: async ({ signal }) => {
    try {
      return await call(api.GET('/api/v1/credentials', { signal }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) return null;
      throw error;
    }
  },
});

export const setCredential = ({ name, value }: { name: string; value: string }) =>
  call(api.PUT('/api/v1/credentials/{name}', { params: { path: { name } }, body: { value } }));

export const deleteCredential = (name: string) =>
  call(api.DELETE('/api/v1/credentials/{name}', { params: { path: { name } } }));
