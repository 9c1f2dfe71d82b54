import type { Filter, MetricAbout, OnlineRule, OnlineRuleConfig, OnlineScorer } from '@/api/types';
import { trimZeros } from '@/shared/format/numbers';
import { type Chip, type Scalar, toFilter } from '@/shared/url/filters';

/** A rule as it is edited. */
export interface Draft {
  name: string;
  on: boolean;
  chips: Chip[];
  /** A filter that chips can't show stays as it is. */
  filter: Filter | undefined;
  rate: number;
  usd: string;
  scores: string;
  scorers: OnlineScorer[];
  mapping: Record<string, string>;
}

export const inputs = ['input', 'output', 'context', 'reference', 'tools', 'schema', 'logprobs'] as const;

export const fresh = (): Draft => ({
  name: '',
  on: true,
  chips: [],
  filter: undefined,
  rate: 1,
  usd: '',
  scores: '',
  scorers: [],
  mapping: {},
});

const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

function chipOf(filter: Filter): Chip | undefined {
  const { field, op, value } = filter;
  if (field === undefined || op === undefined || filter.all || filter.any || filter.not) return undefined;
  if (op === 'exists') return { field, op, value: undefined };
  if (Array.isArray(value)) {
    const list = value.filter(isScalar);
    return list.length === value.length ? { field, op, value: list } : undefined;
  }
  return isScalar(value) ? { field, op, value } : undefined;
}

/** The chips that mean the same as a filter; `undefined` if none do. */
export function chipsOf(filter: Filter | undefined): Chip[] | undefined {
  if (filter === undefined) return [];
  const chips = (filter.all ?? [filter]).map(chipOf);
  const whole = chips.filter((chip) => chip !== undefined);
  return whole.length === chips.length ? whole : undefined;
}

export function draftOf({ rule }: OnlineRule): Draft {
  const chips = chipsOf(rule.filter);
  return {
    name: rule.name,
    on: rule.on ?? true,
    chips: chips ?? [],
    filter: chips ? undefined : rule.filter,
    rate: rule.sample_rate ?? 1,
    usd: rule.budget?.usd_per_day?.toString() ?? '',
    scores: rule.budget?.scores_per_day?.toString() ?? '',
    scorers: rule.scorers,
    mapping: { ...rule.mapping },
  };
}

const amount = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text));

/** What is sent: nothing that was left empty. */
export function ruleOf(draft: Draft): OnlineRuleConfig {
  const filter = draft.filter ?? toFilter(draft.chips);
  const [usd, scores] = [amount(draft.usd), amount(draft.scores)];
  const mapping = Object.fromEntries(
    Object.entries(draft.mapping)
      .map(([input, place]) => [input, place.trim()] as const)
      .filter(([, place]) => place !== ''),
  );
  return {
    name: draft.name.trim(),
    on: draft.on,
    sample_rate: draft.rate,
    scorers: draft.scorers,
    ...(filter && { filter }),
    ...((usd !== undefined || scores !== undefined) && {
      budget: {
        ...(usd !== undefined && { usd_per_day: usd }),
        ...(scores !== undefined && { scores_per_day: scores }),
      },
    }),
    ...(Object.keys(mapping).length > 0 && { mapping }),
  };
}

/** Why a draft can't be tried yet; the server says the rest. */
export function lacks(draft: Draft): string | undefined {
  if (draft.scorers.length === 0) return 'Add a scorer to see what it says.';
  for (const text of [draft.usd, draft.scores]) {
    const value = amount(text);
    if (value !== undefined && !(Number.isFinite(value) && value >= 0)) return `“${text}” is no budget.`;
  }
  return undefined;
}

/** The slider's stops: small rates are told apart as well as large ones. */
export const stops = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 1] as const;

/** The stop that is nearest to a rate. */
export function stopOf(rate: number): number {
  const off = stops.map((stop) => Math.abs(Math.log(stop / rate)));
  return off.indexOf(Math.min(...off));
}

export const formatRate = (rate: number): string =>
  `${trimZeros((rate * 100).toFixed(rate < 0.01 ? 2 : 1))} %`;

/** Metrics by name and what they say of themselves; those of one answer, since traffic comes without samples. */
export function metricsFor(all: readonly MetricAbout[], search: string): MetricAbout[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return all
    .filter((metric) => metric.family !== 'drift')
    .filter((metric) => {
      const text = [metric.name, metric.family, metric.summary, ...metric.aliases].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    });
}

/** Inputs that spans don't have by themselves, and that nobody said where they are. */
export function unmapped(draft: Draft, metrics: readonly MetricAbout[]): string[] {
  const wanted = draft.scorers.flatMap(
    (scorer) => metrics.find((metric) => metric.name === scorer.metric)?.inputs ?? [],
  );
  return ['reference', 'schema', 'logprobs'].filter(
    (input) => wanted.includes(input) && !draft.mapping[input]?.trim(),
  );
}
