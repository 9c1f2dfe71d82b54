import { isBound } from '@/shared/time/range';

import { readChips, writeChips } from './filters';
import { textOf } from './search';

/** What pages over a range of time share in their URL. */
export interface RangeSearch {
  from?: string;
  to?: string;
  f?: string[];
}

export function readRangeSearch(raw: Record<string, unknown>): RangeSearch {
  const from = isBound(raw.from) ? raw.from : undefined;
  const to = isBound(raw.to) ? raw.to : undefined;
  return { from, to, f: writeChips(readChips(raw.f)) };
}

export interface TracesSearch extends RangeSearch {
  q?: string;
  /** The trace that is looked at beside the list. */
  peek?: string;
}

export const readTracesSearch = (raw: Record<string, unknown>): TracesSearch => ({
  ...readRangeSearch(raw),
  q: textOf(raw.q),
  peek: textOf(raw.peek),
});

export const views = ['messages', 'details', 'attributes', 'raw'] as const;
export type View = (typeof views)[number];

export interface TraceSearch {
  span?: string;
  view?: View;
}

export const readTraceSearch = (raw: Record<string, unknown>): TraceSearch => ({
  span: textOf(raw.span),
  view: views.find((view) => view === raw.view),
});
