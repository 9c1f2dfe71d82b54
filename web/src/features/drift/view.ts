import { formatCost, formatDuration, formatShare } from '@/shared/format/numbers';

import type { Cell, Check, Result, Trend, Values } from './types';

/** What a cell is known by. */
export const keyOf = (cell: Pick<Cell, 'signal' | 'segment'>): string =>
  `${cell.signal}\u0000${cell.segment ?? ''}`;

/** A signal as people call it. */
export function nameOf(signal: string): string {
  if (signal.startsWith('score:')) return `score ${signal.slice('score:'.length)}`;
  if (signal.startsWith('concept:')) return `inputs → ${signal.slice('concept:'.length)}`;
  return signal.replaceAll('_', ' ');
}

/** The measure by which each kind of values is compared. */
export const measureOf: Record<Values, string> = {
  numbers: 'Smirnov’s D: the share of values that have moved',
  rate: 'the difference of the shares',
  categories: 'the distance of Jensen and Shannon, 0 to 1',
  topic: 'the part of texts that a classifier tells apart',
  embedding: 'the root of MMD², on vectors of the inputs',
  concept: 'how far the means have moved, in standard deviations',
};

/** A probability, as short as it may be. */
export function formatP(p: number): string {
  if (p < 1e-12) return '< 1e-12';
  if (p < 0.001) return p.toExponential(0);
  return p.toFixed(3);
}

/** The middle of a side, in its own unit. */
export function formatLevel(cell: Pick<Cell, 'values' | 'unit'>, level: number | undefined): string {
  if (level === undefined) return '';
  if (cell.values === 'rate' || cell.values === 'categories') return formatShare(level);
  if (cell.unit === 'USD') return formatCost(level);
  if (cell.unit === 'ms') return formatDuration(level);
  return Math.abs(level) >= 1_000
    ? Math.round(level).toLocaleString('en')
    : String(Number(level.toPrecision(3)));
}

export const arrows = { up: '↑', down: '↓', other: '⇄', same: '·' } as const;

/** Signals as rows, segments as columns; what has drifted comes first, then what has changed most against its limit. */
export function table(cells: Cell[]): { segments: (string | undefined)[]; rows: Cell[][] } {
  const segments = [...new Set(cells.map((cell) => cell.segment))];
  const signals = [...new Set(cells.map((cell) => cell.signal))];
  const rows = signals.map((signal) => cells.filter((cell) => cell.signal === signal));
  const weight = (row: Cell[]) =>
    Math.max(
      ...row.map((cell) => {
        if (!cell.found) return -1;
        return (
          (cell.drifted ? 100 : 0) + Math.min(50, cell.found.effect / Math.max(cell.found.min_effect, 1e-9))
        );
      }),
    );
  return { segments, rows: rows.toSorted((one, other) => weight(other) - weight(one)) };
}

export const trendOf = (trends: Trend[] | undefined, cell: Cell): Trend | undefined =>
  trends?.find((trend) => keyOf(trend) === keyOf(cell));

/** Why nothing at all can be said of two windows, where one of them has no calls. */
export function lackingOf({ current, reference, compared, cells }: Result): string | undefined {
  if (compared > 0) return undefined;
  if (current.rows > 0 && reference.rows > 0)
    return cells.length > 0 ? undefined : 'None of the signals has any values.';
  const which = current.rows > 0 ? 'before' : reference.rows > 0 ? 'now' : 'now or before';
  return `There are no calls ${which}, so there is nothing to compare. Both windows need some: wait, or choose others.`;
}

/** Why something could not be compared though there was enough of it. */
export const gapIn = (result: Pick<Result, 'cells'> | undefined): string | undefined =>
  result?.cells.find((cell) => cell.problem)?.problem;

/** How a check is, in a word. */
export function stateOf(check: Check): { word: string; tone: 'ok' | 'error' | 'warn' | 'neutral' } {
  if (check.definition.enabled === false) return { word: 'off', tone: 'neutral' };
  const gap = gapIn(check.last);
  if (check.problem && (check.problem !== gap || check.last?.compared === 0)) {
    return { word: 'can’t compare', tone: 'error' };
  }
  if (!check.last) return { word: 'not yet', tone: 'neutral' };
  if (check.firing) return { word: 'drifted', tone: 'error' };
  if (check.last.drifted > 0) return { word: 'pending', tone: 'warn' };
  if (gap) return { word: 'in part', tone: 'warn' };
  if (check.last.compared === 0) return { word: 'too little data', tone: 'neutral' };
  return { word: 'as before', tone: 'ok' };
}

/** The signals that have drifted, as a line. */
export const driftedIn = ({ cells, concept }: Pick<Result, 'cells' | 'concept'>): string =>
  [...cells, ...(concept ? [concept.cell] : [])]
    .filter((cell) => cell.drifted)
    .map((cell) => (cell.segment ? `${nameOf(cell.signal)} (${cell.segment})` : nameOf(cell.signal)))
    .join(', ');
