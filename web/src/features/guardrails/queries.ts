import { queryOptions } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import type { ChangePolicies, GuardAsk, SayFeedback } from '@/api/types';

export const guardrailsQuery = queryOptions({
  queryKey: ['guardrails'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/guard', { signal })),
});

export const judge = (ask: GuardAsk) => call(api.POST('/api/v1/guard', { body: ask }));

export const versionsQuery = queryOptions({
  queryKey: ['policy-versions'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/guard/policies', { signal })),
});

export const changePolicies = (change: ChangePolicies) =>
  call(api.PUT('/api/v1/guard/policies', { body: change }));

export const feedbackQuery = queryOptions({
  queryKey: ['guard-feedback'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/guard/feedback', { signal })),
});

export const sayFeedback = (said: SayFeedback) => call(api.POST('/api/v1/guard/feedback', { body: said }));

export const forgetFeedback = (id: number) =>
  call(api.DELETE('/api/v1/guard/feedback/{id}', { params: { path: { id: String(id) } } }));

/** The text that a span's finding was made in, as it is recorded: the last one at its place that is long enough. */
export async function textOf(
  trace_id: string,
  span_id: string,
  place: string,
  number: number,
): Promise<string> {
  const params = { path: { trace_id, span_id } };
  const span = await call(api.GET('/api/v1/traces/{trace_id}/spans/{span_id}', { params }));
  const messages = (place === 'output' ? span.output_messages : span.input_messages) ?? [];
  const texts = messages.flatMap(({ parts = [] }) =>
    parts.flatMap((part) =>
      'content' in part && typeof part.content === 'string' && part.content !== '' ? [part.content] : [],
    ),
  );
  const end = span.findings?.[number]?.end ?? 0;
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  const text = texts.findLast((one) => bytes(one) >= end) ?? texts.at(-1);
  if (text === undefined) throw new Error('its text was not recorded');
  return text;
}
