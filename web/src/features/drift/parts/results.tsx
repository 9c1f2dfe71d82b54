import { useState } from 'react';

import { Sparkline } from '@/shared/chart/sparkline';
import { formatWhole } from '@/shared/format/numbers';
import { formatRange } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';

import type { Cell, Result, Side, Trend } from '../types';
import {
  arrows,
  formatLevel,
  formatP,
  gapIn,
  keyOf,
  lackingOf,
  measureOf,
  nameOf,
  table,
  trendOf,
} from '../view';
import { Compared } from './compared';
import { ConceptCard } from './concept';

function Window({ name, side, color }: { name: string; side: Side; color: string }) {
  return (
    <div className="flex items-baseline gap-2 text-xs">
      <span className="size-2.5 shrink-0 rounded-xs" style={{ background: `var(${color})` }} aria-hidden />
      <span className="font-medium">{name}</span>
      <span className="num text-muted">
        {side.from && side.to ? formatRange(side.from, side.to) : 'no time'}
        {side.parts > 1 && `, ${side.parts} parts of it`} · {formatWhole(side.rows)} calls
        {side.drawn < side.rows && `, ${formatWhole(side.drawn)} drawn`}
      </span>
    </div>
  );
}

/** Effect, certainty and direction of a signal, as far as it could be compared. */
function Verdict({ cell, chosen, onChoose }: { cell: Cell; chosen: boolean; onChoose: () => void }) {
  const { found } = cell;
  if (!found) {
    return (
      <span
        className="px-1.5 text-xs text-faint"
        title={cell.problem ?? `${cell.current_samples} values now, ${cell.reference_samples} before`}
      >
        {cell.problem ? 'not compared' : 'too few'}
      </span>
    );
  }
  const part = Math.min(1, found.effect / Math.max(found.min_effect * 2, 1e-9));
  return (
    <button
      type="button"
      onClick={onChoose}
      aria-pressed={chosen}
      title={`${found.text.replaceAll('`', '')}\nEffect ${found.effect.toPrecision(3)} (${measureOf[cell.values]}), at least ${found.min_effect} wanted. Corrected p ${formatP(found.p_adjusted)}.`}
      className={cx(
        'grid w-56 grid-cols-[1rem_2.25rem_1fr_4.5rem] items-center gap-2 rounded-md px-1.5 py-1 text-left transition-colors hover:bg-hover',
        chosen && 'bg-accent-soft',
      )}
    >
      <span className={cell.drifted ? 'text-error' : 'text-faint'} aria-label={found.direction}>
        {arrows[found.direction]}
      </span>
      <span className={cx('num text-xs', cell.drifted ? 'font-semibold text-error' : 'text-ink')}>
        {found.effect.toFixed(2)}
      </span>
      <span className="relative h-1.5 overflow-hidden rounded-full bg-sunken" aria-hidden>
        <span
          className={cx('absolute inset-y-0 left-0', cell.drifted ? 'bg-error' : 'bg-line-strong')}
          style={{ width: `${part * 100}%` }}
        />
        <span className="absolute inset-y-0 left-1/2 w-px bg-faint" />
      </span>
      <span className="num text-right text-2xs text-faint">p {formatP(found.p_adjusted)}</span>
    </button>
  );
}

function TrendLine({ trend }: { trend: Trend | undefined }) {
  if (!trend || trend.points.length < 2) return <span className="text-2xs text-faint">no trend yet</span>;
  const color = trend.points.at(-1)?.drifted ? 'var(--error)' : 'var(--accent)';
  return (
    <div className="w-28" title={`The effect of the latest ${trend.points.length} comparisons`}>
      <Sparkline values={trend.points.map((point) => point.effect)} color={color} />
    </div>
  );
}

const head = 'px-3 py-2 text-left text-xs font-medium whitespace-nowrap text-faint';

/** With many segments the table is wider than the page: which signal it is stays in sight. */
const stays = 'sticky left-0 z-1 bg-surface';

/** One signal over all segments. */
function SignalRow({
  row,
  segments,
  trends,
  chosen,
  onChoose,
}: {
  row: Cell[];
  segments: (string | undefined)[];
  /** None where no signal has one yet. */
  trends: Trend[] | undefined;
  chosen: string | undefined;
  onChoose: (key: string) => void;
}) {
  const all = row.find((cell) => cell.segment === undefined) ?? row[0];
  if (!all) return null;
  const levels = [all.found?.before, all.found?.now].map((level) => formatLevel(all, level));
  return (
    <tr className="transition-colors hover:bg-hover/50">
      <th scope="row" className={cx('px-3 py-1.5 text-left font-medium whitespace-nowrap', stays)}>
        {nameOf(all.signal)}
      </th>
      <td className="num px-3 py-1.5 text-xs whitespace-nowrap text-muted">
        {levels[0] && `${levels[0]} → ${levels[1]}`}
        {levels[0] && all.unit === 'tokens' && <span className="text-faint"> tokens</span>}
      </td>
      {trends && (
        <td className="px-3 py-1">
          <TrendLine trend={trendOf(trends, all)} />
        </td>
      )}
      {segments.map((segment) => {
        const cell = row.find((one) => one.segment === segment);
        return (
          <td key={segment ?? ''} className="px-1.5 py-1">
            {cell && (
              <Verdict cell={cell} chosen={keyOf(cell) === chosen} onChoose={() => onChoose(keyOf(cell))} />
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** A comparison: signals by segments, and the chosen one with both distributions and traces of both sides. */
export function Results({ result, trends }: { result: Result; trends?: Trend[] | undefined }) {
  const { segments, rows } = table(result.cells);
  const lacking = lackingOf(result);
  const trending = trends?.some((trend) => trend.points.length > 1) ?? false;
  const first = rows[0]?.find((cell) => cell.drifted) ?? rows[0]?.find((cell) => cell.found);
  const [key, setKey] = useState<string>();
  const chosen = result.cells.find((cell) => keyOf(cell) === key) ?? first;
  const gap = gapIn(result);
  return (
    <div className="space-y-4">
      {gap && (
        <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-sm text-error">
          In part: {gap}
        </p>
      )}
      <Card
        title="Signals"
        aside={
          <span className="pr-2 text-xs text-muted">
            {result.drifted > 0 ? (
              <Badge tone="error">{result.drifted} drifted</Badge>
            ) : (
              <Badge tone={result.compared > 0 ? 'ok' : 'neutral'}>
                {result.compared > 0 ? 'as before' : 'too little data'}
              </Badge>
            )}
            {result.compared > 0 && ` of ${result.compared} compared`}
          </span>
        }
      >
        <div className="space-y-1 px-4 pb-3">
          <Window name="Now" side={result.current} color="--series-1" />
          <Window name="Before" side={result.reference} color="--series-2" />
        </div>
        {lacking && (
          <p className="border-t border-line px-4 py-6 text-center text-sm text-muted">{lacking}</p>
        )}
        <div className={lacking ? 'hidden' : 'overflow-x-auto border-t border-line'}>
          <table className="w-full text-sm">
            <thead className="border-b border-line">
              <tr>
                <th scope="col" className={cx(head, stays)}>
                  Signal
                </th>
                <th scope="col" className={head}>
                  Before → now
                </th>
                {trending && (
                  <th scope="col" className={head}>
                    Trend
                  </th>
                )}
                {segments.map((segment) => (
                  <th key={segment ?? ''} scope="col" className={head}>
                    {segment === undefined ? 'All: effect, limit, p' : segment || '(none)'}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {rows.map((row) => (
                <SignalRow
                  key={row[0]?.signal}
                  row={row}
                  segments={segments}
                  trends={trending ? (trends ?? []) : undefined}
                  chosen={chosen && keyOf(chosen)}
                  onChoose={setKey}
                />
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      {chosen?.found && <Compared cell={chosen} found={chosen.found} trend={trendOf(trends, chosen)} />}
      {result.concept && (
        <ConceptCard concept={result.concept} trend={trendOf(trends, result.concept.cell)} />
      )}
    </div>
  );
}
