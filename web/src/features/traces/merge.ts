import type { TraceSummary } from '@/api/types';

export interface TracePage {
  traces: TraceSummary[];
  next_cursor?: string | null;
}

/**
 * The newest page read again, merged into the pages that are there: what is known is brought up to
 * date where it stands, what is new goes on top. Nothing else moves, so that nobody loses their place.
 */
export function mergeNewest(
  pages: TracePage[],
  newest: TracePage,
): { pages: TracePage[]; added: TraceSummary[] } {
  const fresh = new Map(newest.traces.map((trace) => [trace.trace_id, trace]));
  const updated = pages.map((page) => ({
    ...page,
    traces: page.traces.map((trace) => {
      const again = fresh.get(trace.trace_id);
      fresh.delete(trace.trace_id);
      return again ?? trace;
    }),
  }));
  const [first, ...rest] = updated;
  if (!first) return { pages: [newest], added: newest.traces };
  const added = newest.traces.filter((trace) => fresh.has(trace.trace_id));
  return { pages: [{ ...first, traces: sortNewestFirst([...added, ...first.traces]) }, ...rest], added };
}

const startOf = (trace: TraceSummary): number => Date.parse(trace.start_time);

const sortNewestFirst = (traces: TraceSummary[]): TraceSummary[] =>
  [...traces].sort((a, b) => startOf(b) - startOf(a));

/** Pages as one list. A trace that moved between two pages while they were read counts once. */
export function flatten(pages: TracePage[]): TraceSummary[] {
  const seen = new Set<string>();
  return pages
    .flatMap((page) => page.traces)
    .filter(({ trace_id }) => !seen.has(trace_id) && seen.add(trace_id));
}
