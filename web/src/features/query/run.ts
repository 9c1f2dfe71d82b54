import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { api, ApiError, call } from '@/api/client';
import type { Answer } from '@/api/types';
import { cancelQuery } from '@/shared/data/query';

/** A name by which the query can be stopped. Without https there is no `crypto.randomUUID`. */
export const newQueryId = (): string =>
  `page-${Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;

/** Stopped by somebody, here or elsewhere: nothing went wrong. */
export const isCancelled = (error: unknown): boolean =>
  error instanceof ApiError
    ? error.type === 'cancelled'
    : error instanceof DOMException && error.name === 'AbortError';

/** What became of a query. */
export interface Outcome {
  answer?: Answer;
  error?: Error;
  /** From the click to the answer, or to its failure. */
  tookMs: number;
}

export interface Run {
  /** That of the last query; while the next one runs, it stays. */
  outcome?: Outcome;
  running: boolean;
  cancelling: boolean;
  startedAt: number;
  start: (sql: string) => void;
  cancel: () => void;
}

/** One SQL query at a time. The next one, and leaving the page, stop the one before. */
export function useRun(): Run {
  const [outcome, setOutcome] = useState<Outcome>();
  const connection = useRef<AbortController>(undefined);
  const run = useMutation({
    mutationFn: ({ id, sql, signal }: { id: string; sql: string; signal: AbortSignal }) =>
      call(
        api.POST('/api/v1/sql', {
          body: { sql },
          params: { header: { 'x-signalbox-query-id': id } },
          signal,
        }),
      ),
  });
  const stop = useMutation({
    mutationFn: cancelQuery,
    // Not known there, or out of reach: who hangs up stops its own.
    onError: () => connection.current?.abort(),
  });
  useEffect(() => () => connection.current?.abort(), []);
  const start = (sql: string): void => {
    connection.current?.abort();
    connection.current = new AbortController();
    stop.reset();
    const began = performance.now();
    run.mutate(
      { id: newQueryId(), sql, signal: connection.current.signal },
      {
        onSettled: (answer, error) =>
          setOutcome({ answer, error: error ?? undefined, tookMs: performance.now() - began }),
      },
    );
  };
  return {
    outcome,
    running: run.isPending,
    cancelling: stop.isPending,
    startedAt: run.submittedAt,
    start,
    cancel: () => run.variables && stop.mutate(run.variables.id),
  };
}
