import { textOf } from './search';

export const datasetViews = ['items', 'versions', 'diff', 'runs'] as const;
export type DatasetView = (typeof datasetViews)[number];

/** What of a dataset is looked at. */
export interface DatasetSearch {
  view?: DatasetView;
  /** A version, branch or tag; `main` if absent. */
  version?: string;
  /** What it is compared with. */
  from?: string;
  split?: string;
  q?: string;
  /** The item that is open. */
  item?: string;
}

export const readDatasetSearch = (raw: Record<string, unknown>): DatasetSearch => ({
  view: datasetViews.find((view) => view === raw.view),
  version: textOf(raw.version),
  from: textOf(raw.from),
  split: textOf(raw.split),
  q: textOf(raw.q),
  item: textOf(raw.item),
});
