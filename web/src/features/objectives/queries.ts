import { queryOptions } from '@tanstack/react-query';
import type { Client } from 'openapi-fetch';

import { api, call } from '@/api/client';
import { every } from '@/shared/data/every';

import type { Definition, ObjectivePaths, WantedFreeze } from './types';

const ours = api as unknown as Client<ObjectivePaths>;

/** Budgets are counted once a minute; asking more often would only show how monitors are. */
const OFTEN = 15_000;

export const objectivesQuery = queryOptions({
  queryKey: ['objectives'],
  queryFn: ({ signal }) => call(ours.GET('/api/v1/objectives', { signal })),
  refetchInterval: every(OFTEN),
});

export const objectiveQuery = (name: string) =>
  queryOptions({
    queryKey: ['objectives', 'one', name],
    queryFn: ({ signal }) =>
      call(ours.GET('/api/v1/objectives/{name}', { params: { path: { name } }, signal })),
    refetchInterval: every(OFTEN),
  });

export const freezeQuery = queryOptions({
  queryKey: ['objectives', 'freeze'],
  queryFn: ({ signal }) => call(ours.GET('/api/v1/release_freeze', { signal })),
  refetchInterval: every(OFTEN),
});

/** Incidents of an objective's monitor, the latest first. */
export const incidentsOf = (monitor: string) =>
  queryOptions({
    queryKey: ['incidents', 'of', monitor],
    queryFn: ({ signal }) =>
      call(api.GET('/api/v1/incidents', { params: { query: { monitor, limit: 20 } }, signal })),
    refetchInterval: every(OFTEN),
  });

/** What an objective would have been. */
export const testQuery = (objective: Definition) =>
  queryOptions({
    queryKey: ['objectives', 'test', objective],
    queryFn: ({ signal }) => call(ours.POST('/api/v1/objectives/test', { body: { objective }, signal })),
    staleTime: 60_000,
    retry: false,
  });

export const saveObjective = (name: string, definition: Definition) =>
  call(ours.PUT('/api/v1/objectives/{name}', { params: { path: { name } }, body: definition }));

export const deleteObjective = (name: string) =>
  call(ours.DELETE('/api/v1/objectives/{name}', { params: { path: { name } } }));

export const setFreeze = (wanted: WantedFreeze) => call(ours.PUT('/api/v1/release_freeze', { body: wanted }));
