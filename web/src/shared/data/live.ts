import { useEffect, useRef, useState } from 'react';

import type { Filter } from '@/api/types';

interface LiveWanted {
  filter?: Filter;
  q?: string;
}

export type LiveState = 'off' | 'connecting' | 'on';

/**
 * Tells of new spans as they are stored. Spans come in bursts: `onTraces` is called at most every
 * `everyMs` with the ids of the traces they belong to.
 */
export function useLive(
  enabled: boolean,
  { filter, q }: LiveWanted,
  onTraces: (ids: Set<string>) => void,
  everyMs = 700,
): LiveState {
  const [open, setOpen] = useState(false);
  const latest = useRef(onTraces);
  useEffect(() => {
    latest.current = onTraces;
  });
  const params = new URLSearchParams({
    ...(filter && { filter: JSON.stringify(filter) }),
    ...(q !== undefined && { q }),
  }).toString();
  useEffect(() => {
    if (!enabled) return;
    const source = new EventSource(`/api/v1/live?${params}`);
    let ids = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      timer = undefined;
      const ready = ids;
      ids = new Set();
      latest.current(ready);
    };
    source.addEventListener('open', () => {
      setOpen(true);
      // What came while nobody listened is not told again.
      latest.current(new Set());
    });
    // The browser tries again by itself.
    source.addEventListener('error', () => setOpen(false));
    source.addEventListener('span', (event) => {
      const id = traceIdOf(event.data);
      if (id === undefined) return;
      ids.add(id);
      timer ??= setTimeout(flush, everyMs);
    });
    return () => {
      source.close();
      clearTimeout(timer);
      setOpen(false);
    };
  }, [enabled, params, everyMs]);
  if (!enabled) return 'off';
  return open ? 'on' : 'connecting';
}

function traceIdOf(data: unknown): string | undefined {
  try {
    const span = JSON.parse(String(data)) as { trace_id?: unknown };
    return typeof span.trace_id === 'string' ? span.trace_id : undefined;
  } catch {
    return undefined;
  }
}
