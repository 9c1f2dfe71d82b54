import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { GuardAsk } from '@/api/types';

export const guardrailsQuery = queryOptions({
  queryKey: ['guardrails'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/guard', { signal })),
});

export const judge = (ask: GuardAsk) => call(api.POST('/api/v1/guard', { body: ask }));
