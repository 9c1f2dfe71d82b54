import type { Run } from '@/api/types';

/** Which items a run asked. */
export interface Asked {
  /** As people read it: a version by its first digits. */
  label: string;
  /** The dataset of this project; absent if the items are of somewhere else. */
  name?: string;
  version?: string;
}

/** Hexadecimal digits that nobody reads to the end. */
const longId = /^[0-9a-f]{24,}$/;

export function askedOf(run: Run & { dataset_version?: string }): Asked | undefined {
  const { dataset, dataset_version: version } = run;
  if (dataset === undefined) return undefined;
  const [name = dataset, reference] = dataset.split('@');
  const short = reference !== undefined && longId.test(reference) ? reference.slice(0, 10) : reference;
  const label = short === undefined ? name : `${name}@${short}`;
  return version === undefined ? { label } : { label, name, version };
}
