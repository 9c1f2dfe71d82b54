import { useState } from 'react';

import { readLocal, writeLocal } from '@/shared/theme/theme';

import { defaultVisibility } from './columns';

/** Which columns are shown and how wide: a choice of the person, kept in the browser. */
export interface Layout {
  visibility: Record<string, boolean>;
  sizing: Record<string, number>;
}

const key = 'signalbox.traces.columns';

const isRecordOf = (value: unknown, type: 'boolean' | 'number'): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === type);

function read(): Layout {
  try {
    const value = JSON.parse(readLocal(key) ?? '{}') as Partial<Layout>;
    return {
      visibility: isRecordOf(value.visibility, 'boolean')
        ? { ...defaultVisibility, ...value.visibility }
        : defaultVisibility,
      sizing: isRecordOf(value.sizing, 'number') ? { ...value.sizing } : {},
    };
  } catch {
    return { visibility: defaultVisibility, sizing: {} };
  }
}

export function useLayout(): [Layout, (change: (layout: Layout) => Layout) => void] {
  const [layout, setLayout] = useState(read);
  const change = (next: (layout: Layout) => Layout): void =>
    setLayout((before) => {
      const after = next(before);
      writeLocal(key, JSON.stringify(after));
      return after;
    });
  return [layout, change];
}

export const startLayout: Layout = { visibility: defaultVisibility, sizing: {} };
