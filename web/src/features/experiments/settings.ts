import type { Run } from '@/api/types';
import { asText } from '@/shared/format/text';

/** A setting, and what it is in each run. */
export interface Setting {
  name: string;
  values: string[];
}

function flat(value: unknown, name: string, into: Map<string, string>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flat(inner, name === '' ? key : `${name}.${key}`, into);
    return;
  }
  const text = asText(value);
  if (text !== '') into.set(name, text);
}

function settingsOf(run: Run): Map<string, string> {
  const settings = new Map<string, string>();
  const { target, dataset, commit } = run;
  flat({ target, dataset, commit }, '', settings);
  flat(run.config ?? {}, '', settings);
  for (const { name, threshold, options } of run.metrics) {
    flat({ threshold, ...options }, name, settings);
  }
  return settings;
}

/** The settings that aren't the same in all runs: why results may differ. */
export function differencesOf(runs: Run[]): Setting[] {
  const all = runs.map(settingsOf);
  const names = new Set(all.flatMap((settings) => [...settings.keys()]));
  const told = [...names].map((name) => ({ name, values: all.map((settings) => settings.get(name) ?? '') }));
  return told.filter(({ values }) => new Set(values).size > 1);
}
