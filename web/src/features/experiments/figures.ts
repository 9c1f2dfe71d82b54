import type { ComparedPairs, MetricSummary, Run } from '@/api/types';
import { formatCost, formatDuration, formatScore, type Maybe } from '@/shared/format/numbers';

/** What runs are told apart by: the first is the baseline's place on the comparison page. */
export const runColors = [
  'var(--series-other)',
  'var(--series-2)',
  'var(--series-4)',
  'var(--series-3)',
  'var(--series-6)',
  'var(--series-5)',
];

export const letterOf = (at: number): string => String.fromCharCode(65 + at);

/** The metrics of runs, in the order of the latest one that has them. */
export function metricsOf(runs: Run[]): string[] {
  const names = runs.flatMap((run) => [
    ...run.metrics.map(({ name }) => name),
    ...(run.summary?.metrics ?? []).map(({ metric }) => metric),
  ]);
  return [...new Set(names)];
}

export const isLower = (runs: Run[], metric: string): boolean =>
  runs.some((run) => run.metrics.some(({ name, direction }) => name === metric && direction === 'lower'));

export const figureOf = (run: Run | undefined, metric: string): MetricSummary | undefined =>
  run?.summary?.metrics.find((one) => one.metric === metric);

export const meanOf = (run: Run | undefined, metric: string): number | undefined =>
  figureOf(run, metric)?.values?.mean;

/** Half of the interval that holds the true mean in 95 of 100 cases; `undefined` where it can't be told. */
export function halfOf(figure: MetricSummary | undefined): number | undefined {
  const { sd, n } = figure?.values ?? {};
  return sd === undefined || n === undefined || n < 2 ? undefined : (1.96 * sd) / Math.sqrt(n);
}

/** Whether a change is good, bad or none. */
export function toneOf(change: number, lower: boolean): 'good' | 'bad' | 'same' {
  if (Math.abs(change) < 1e-9) return 'same';
  return change > 0 === lower ? 'bad' : 'good';
}

export const toneText = { good: 'text-ok', bad: 'text-error', same: 'text-faint' };

/** A measure of a comparison in its unit: time and money are measures, too. */
export function formatMeasure(metric: string, value: Maybe): string {
  if (metric === 'latency_ms') return formatDuration(value);
  if (metric === 'cost') return formatCost(value);
  return formatScore(value);
}

export function formatSigned(metric: string, value: Maybe): string {
  if (typeof value !== 'number') return formatScore(value);
  const sign = value > 0 ? '+' : value < 0 ? '−' : '±';
  return sign + formatMeasure(metric, Math.abs(value));
}

export const titleOf = (metric: string): string =>
  metric === 'latency_ms' ? 'Latency' : metric === 'cost' ? 'Cost per item' : metric;

export function formatP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

/** What a comparison says, in a sentence. */
export function sentenceOf(metric: string, pairs: ComparedPairs): string {
  const { verdict, n, mean, low, high, detectable, p_value, p_adjusted } = pairs;
  if (verdict === 'same') return `All ${n} items are the same.`;
  const interval =
    low === undefined || high === undefined
      ? ''
      : `, between ${formatSigned(metric, low)} and ${formatSigned(metric, high)} in 95 of 100 cases`;
  const found = `On ${n} items the mean moved by ${formatSigned(metric, mean)}${interval}.`;
  const chance = `${formatP(p_value)}; ${formatP(p_adjusted)} corrected for the number of comparisons.`;
  if (verdict !== 'unclear') return `${found} ${chance}`;
  const finds =
    detectable === undefined
      ? ''
      : ` So many items find a difference of ${formatMeasure(metric, detectable)} in four of five cases.`;
  return `${found} ${chance} Chance may have made that.${finds}`;
}

/** Runs whose items aren't those of the first. */
export const othersItems = (runs: Run[]): Run[] =>
  runs.filter((run) => run.items_hash !== undefined && run.items_hash !== runs[0]?.items_hash);
