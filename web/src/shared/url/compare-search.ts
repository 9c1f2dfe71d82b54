import { textOf } from './search';

export const shows = ['all', 'worse', 'better', 'changed', 'failed'] as const;
export type Show = (typeof shows)[number];

/** What the comparison page shows; all of it is in its address. */
export interface CompareSearch {
  ids?: string;
  baseline?: string;
  metric?: string;
  show?: Show;
  /** `field:value` */
  segment?: string;
  item?: string;
  page?: number;
}

export function readCompareSearch(raw: Record<string, unknown>): CompareSearch {
  const page = Number(raw.page);
  return {
    ids: textOf(raw.ids),
    baseline: textOf(raw.baseline),
    metric: textOf(raw.metric),
    show: shows.find((show) => show === raw.show),
    segment: textOf(raw.segment),
    item: textOf(raw.item),
    page: Number.isInteger(page) && page > 0 ? page : undefined,
  };
}
