import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';

import { every } from './every';

/** More than that are told of as `9+`. */
const MOST = 10;

/** How many incidents nobody has taken, for the navigation. */
export const openIncidentsQuery = queryOptions({
  queryKey: ['incidents', 'open'],
  queryFn: ({ signal }) =>
    call(api.GET('/api/v1/incidents', { params: { query: { status: 'open', limit: MOST } }, signal })),
  select: ({ incidents }) => incidents.length,
  refetchInterval: every(15_000),
});

export const countOf = (open: number): string => (open >= MOST ? `${MOST - 1}+` : String(open));
