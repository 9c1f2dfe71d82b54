import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, ApiError, call } from '@/api/client';
import type { ImportedItems } from '@/api/types';

export const datasetQuery = (name: string) =>
  queryOptions({
    queryKey: ['datasets', name],
    queryFn: ({ signal }) => call(api.GET('/api/v1/datasets/{name}', { params: { path: { name } }, signal })),
  });

export interface ItemsWanted {
  version?: string;
  split?: string;
  text?: string;
}

/** Items, page by page. An empty dataset has no version to read. */
export const itemsQuery = (name: string, wanted: ItemsWanted) =>
  infiniteQueryOptions({
    queryKey: ['datasets', name, 'items', wanted],
    queryFn: ({ signal, pageParam }) => {
      const query = { ...wanted, limit: 200, cursor: pageParam };
      return call(api.GET('/api/v1/datasets/{name}/items', { params: { path: { name }, query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });

export const itemQuery = (name: string, id: string, version: string | undefined) =>
  queryOptions({
    queryKey: ['datasets', name, 'item', id, version],
    queryFn: ({ signal }) =>
      call(
        api.GET('/api/v1/datasets/{name}/items/{id}', {
          params: { path: { name, id }, query: { version } },
          signal,
        }),
      ),
  });

export const versionsQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: ['datasets', name, 'versions'],
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: 100, cursor: pageParam };
      return call(api.GET('/api/v1/datasets/{name}/versions', { params: { path: { name }, query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });

/** The latest runs that asked the items of a dataset. */
export const runsQuery = (name: string) =>
  queryOptions({
    queryKey: ['datasets', name, 'runs'],
    queryFn: ({ signal }) => {
      const query = { dataset: name, limit: 200 };
      return call(api.GET('/api/v1/runs', { params: { query }, signal }));
    },
  });

export const diffQuery = (name: string, from: string | undefined, to: string) =>
  infiniteQueryOptions({
    queryKey: ['datasets', name, 'diff', from, to],
    queryFn: ({ signal, pageParam }) => {
      const query = { from, to, limit: 50, cursor: pageParam };
      return call(api.GET('/api/v1/datasets/{name}/diff', { params: { path: { name }, query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });

export const deleteDataset = (name: string) =>
  call(api.DELETE('/api/v1/datasets/{name}', { params: { path: { name } } }));

export const setRef = (name: string, kind: 'branch' | 'tag', label: string, version: string) =>
  kind === 'tag'
    ? call(
        api.PUT('/api/v1/datasets/{name}/tags/{tag}', {
          params: { path: { name, tag: label } },
          body: { version },
        }),
      )
    : call(
        api.PUT('/api/v1/datasets/{name}/branches/{branch}', {
          params: { path: { name, branch: label } },
          body: { version },
        }),
      );

export const deleteRef = (name: string, kind: 'branch' | 'tag', label: string) =>
  kind === 'tag'
    ? call(api.DELETE('/api/v1/datasets/{name}/tags/{tag}', { params: { path: { name, tag: label } } }))
    : call(
        api.DELETE('/api/v1/datasets/{name}/branches/{branch}', {
          params: { path: { name, branch: label } },
        }),
      );

export const exportPath = (
  name: string,
  version: string,
  format: 'jsonl' | 'csv',
  split?: string,
): string => {
  const query = new URLSearchParams({ format, version, ...(split ? { split } : {}) });
  return `/api/v1/datasets/${encodeURIComponent(name)}/export?${query.toString()}`;
};

export interface ImportWanted {
  name: string;
  format: 'jsonl' | 'csv';
  branch: string;
  mode: 'merge' | 'mirror';
  split?: string;
  rename?: string;
  message?: string;
}

/** Sends a file, and says how far it is: `fetch` can't. */
export function importFile(
  file: Blob,
  { name, ...wanted }: ImportWanted,
  onProgress: (share: number) => void,
): Promise<ImportedItems> {
  const query = new URLSearchParams(
    Object.entries(wanted).filter((pair): pair is [string, string] => Boolean(pair[1])),
  );
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/api/v1/datasets/${encodeURIComponent(name)}/import?${query.toString()}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0);
    request.onerror = () =>
      reject(new ApiError(0, 'unreachable', 'Signalbox does not answer. Is it still running?'));
    request.onload = () => {
      try {
        const answer = JSON.parse(request.responseText) as ImportedItems & {
          error?: { type: string; message: string; field?: string; hint?: string };
        };
        if (request.status < 300) resolve(answer);
        else
          reject(
            new ApiError(
              request.status,
              answer.error?.type ?? 'error',
              answer.error?.message ?? `The server answered ${request.status}`,
              answer.error?.field,
              answer.error?.hint,
            ),
          );
      } catch {
        reject(new ApiError(request.status, 'error', `The server answered ${request.status}`));
      }
    };
    request.send(file);
  });
}
