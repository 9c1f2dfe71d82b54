import type { Tone } from '@/shared/ui/badge';

import type { BudgetPoint, Definition, Objective } from './types';

export const phaseTone: Record<Objective['phase'], Tone> = {
  ok: 'ok',
  pending: 'warn',
  firing: 'error',
  recovering: 'warn',
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `0.9995` → `99.95 %`: as many digits as tell it from an objective like this. */
export function percent(share: number, objective: number): string {
  const digits = Math.ceil(-Math.log10(1 - objective) - 1e-9);
  const decimals = Math.min(6, Math.max(0, digits - 2) + 1);
  // What is not quite all must not look like all.
  const floor = Math.floor(share * 100 * 10 ** decimals + 1e-6) / 10 ** decimals;
  return `${String(Number(floor.toFixed(decimals)))} %`;
}

/** A part of a budget. */
export function budgetLeft(left: number): string {
  const size = Math.abs(left) * 100;
  const digits = size !== 0 && size < 10 ? 1 : 0;
  return `${Number((left * 100).toFixed(digits)).toLocaleString('en')} %`;
}

/** How much a person should worry: half of a budget that is left is fine. */
export const budgetTone = (left: number): Tone => (left <= 0 ? 'error' : left < 0.25 ? 'warn' : 'ok');

/** Fast enough for somebody to be told at once is six times too fast (Google's SRE workbook). */
export const rateTone = (rate: number | undefined): Tone =>
  rate === undefined || rate <= 1 ? 'neutral' : rate < 6 ? 'warn' : 'error';

export const rateText = (rate: number | undefined): string =>
  rate === undefined
    ? '–'
    : `${rate >= 100 ? Math.round(rate).toLocaleString('en') : String(Number(rate.toPrecision(2)))}×`;

/** An objective in a sentence: `99.9 % of calls don’t fail`. */
export function meaning(definition: Definition): string {
  const objective = Number(definition.objective);
  const good = (definition.good ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const share = percent(objective, objective);
  const { latency, ttft, score, cost, ratio } = good;
  if (latency) return `${share} of calls take less than ${text(latency.under)}`;
  if (ttft) return `${share} of answers begin within ${text(ttft.under)}`;
  if (score)
    return score.at_least === undefined
      ? `${share} of scores “${text(score.name)}” pass`
      : `${share} of scores “${text(score.name)}” are ${Number(score.at_least)} or more`;
  if (cost) return `${share} of answers cost less than $${String(cost.under)}`;
  if (ratio)
    return ratio.good === undefined
      ? `${share} of “${text(ratio.over)}” are not “${text(ratio.bad)}”`
      : `${share} of “${text(ratio.over)}” are “${text(ratio.good)}”`;
  return `${share} of calls don’t fail`;
}

/** How long until a moment: `3 d 4 h`. */
export function until(iso: string, now = Date.now()): string {
  const minutes = Math.max(0, Math.round((Date.parse(iso) - now) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A burn-down as lines, by the ends of its buckets. */
export function drawn(points: BudgetPoint[], freezeBelow: number | undefined) {
  const ends = points.map((point) => Date.parse(point.at));
  const bucketMs = Math.max(60_000, (ends[1] ?? 0) - (ends[0] ?? 0));
  return {
    bucketMs,
    times: ends,
    left: points.map((point) => point.left * 100),
    freeze: freezeBelow === undefined ? undefined : points.map(() => freezeBelow * 100),
    bad: points.map((point) => point.bad),
  };
}

/** With which part of the budget left releases wait; none if they never do. */
export const freezeBelow = (definition: Definition): number | undefined =>
  definition.freeze === false ? undefined : Number(definition.freeze_below ?? 0);
