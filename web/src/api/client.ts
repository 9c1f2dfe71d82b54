import createClient from 'openapi-fetch';

import type { paths } from './schema';

/** What the API says of a failed call: whose fault, which field, what would help. */
export class ApiError extends Error {
  override name = 'ApiError';

  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly field?: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** Nobody is signed in, or not any more. */
export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: 'same-origin' });

interface Reply {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** The data of a call, or its failure as an `ApiError`. */
export async function call<R extends Reply>(promise: Promise<R>): Promise<NonNullable<R['data']>> {
  let reply: R;
  try {
    reply = await promise;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', 'Signalbox does not answer. Is it still running?');
  }
  if (!reply.response.ok) throw toError(reply.response, reply.error);
  return reply.data as NonNullable<R['data']>;
}

function toError(response: Response, body: unknown): ApiError {
  const envelope = (
    body as { error?: Partial<Record<'type' | 'message' | 'field' | 'hint', string>> } | undefined
  )?.error;
  if (typeof envelope === 'object' && typeof envelope.message === 'string') {
    return new ApiError(
      response.status,
      envelope.type ?? 'error',
      envelope.message,
      envelope.field,
      envelope.hint,
    );
  }
  // A proxy in front of us answers with its own page.
  return new ApiError(
    response.status,
    'error',
    `The server answered ${response.status} ${response.statusText}`.trim(),
  );
}
