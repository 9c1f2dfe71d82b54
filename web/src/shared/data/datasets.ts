import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { NewDatasetVersion } from '@/api/types';

/** The datasets of the project. */
export const datasetsQuery = queryOptions({
  queryKey: ['datasets'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/datasets', { signal })),
});

export const createDataset = (name: string, description = '') =>
  call(api.POST('/api/v1/datasets', { body: { name, description } }));

export const commitDataset = (name: string, body: NewDatasetVersion) =>
  call(api.POST('/api/v1/datasets/{name}/versions', { params: { path: { name } }, body }));

/** The item that a span makes; nothing is added. The dataset need not exist. */
export const itemOfSpan = (traceId: string, spanId: string) =>
  queryOptions({
    queryKey: ['trace', traceId, 'span', spanId, 'item'],
    queryFn: async ({ signal }) => {
      const params = { path: { name: 'preview' } };
      const body = { spans: [{ trace_id: traceId, span_id: spanId }], preview: true };
      const answer = await call(api.POST('/api/v1/datasets/{name}/from-traces', { params, body, signal }));
      return answer.items[0] ?? null;
    },
  });

/** Names stand in addresses. Says what is wrong with one. */
export function problemOfName(name: string): string | undefined {
  if (name === '') return undefined;
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)
    ? undefined
    : 'Letters, digits, “.”, “_” and “-”, beginning with a letter or digit.';
}
