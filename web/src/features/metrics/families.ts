import type { MetricAbout } from '@/api/types';

const titles: Record<string, { title: string; about: string }> = {
  text: { title: 'Text', about: 'Two texts side by side, or one by itself' },
  structure: { title: 'Structure', about: 'JSON, SQL and other formats' },
  retrieval: { title: 'Retrieval', about: 'What was found, and in which order' },
  grounding: { title: 'Grounding', about: 'Whether a text says what its sources say' },
  agent: { title: 'Agents', about: 'Tool calls and steps' },
  drift: { title: 'Drift', about: 'Samples of numbers, before and now' },
};

export interface Family {
  id: string;
  title: string;
  about: string;
  metrics: MetricAbout[];
}

/** The metrics by family, in the order in which they are listed. A family that has no name here is called as the API calls it. */
export function familiesOf(metrics: MetricAbout[]): Family[] {
  const families = new Map<string, Family>();
  for (const metric of metrics) {
    const id = metric.family;
    const words = titles[id] ?? { title: id.charAt(0).toUpperCase() + id.slice(1), about: '' };
    const family = families.get(id) ?? { id, ...words, metrics: [] };
    family.metrics.push(metric);
    families.set(id, family);
  }
  return [...families.values()];
}

/** Where a metric has the words that are looked for: those in its name first. */
export function found(metrics: MetricAbout[], text: string): MetricAbout[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return metrics;
  return metrics.filter((metric) => {
    const { name, aliases, summary, formula, source, inputs, family } = metric;
    const all = [name, ...aliases, summary, formula, source, ...inputs, family].join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** Where its values lie. */
export function rangeOf({ low, high }: MetricAbout): string {
  if (low !== undefined && high !== undefined) return `${low} to ${high}`;
  if (low !== undefined) return `${low} or more`;
  if (high !== undefined) return `up to ${high}`;
  return 'any number';
}

export const isBetterHigh = ({ direction }: MetricAbout): boolean => direction !== 'lower';
