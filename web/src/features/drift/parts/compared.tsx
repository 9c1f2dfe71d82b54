import { Link } from '@tanstack/react-router';

import { SeriesChart } from '@/shared/chart/series-chart';
import { formatShare, formatWhole } from '@/shared/format/numbers';
import { Badge } from '@/shared/ui/badge';
import { Coded } from '@/shared/ui/coded';
import { Card } from '@/shared/ui/page';

import type { Bar, Cell, Example, Found, Trend } from '../types';
import { formatP, measureOf, nameOf } from '../view';

/** Intervals side by side: a pair of columns each, now before before. */
function Histogram({ bars }: { bars: Bar[] }) {
  const top = Math.max(...bars.flatMap((bar) => [bar.current, bar.reference]), 1e-9);
  const height = (share: number): string => `${(share / top) * 100}%`;
  return (
    <figure aria-label="Both distributions">
      <div className="flex h-44 items-end gap-1 border-b border-line-strong">
        {bars.map((bar) => (
          <div
            key={bar.label}
            title={`${bar.label}\nbefore ${formatShare(bar.reference)}, now ${formatShare(bar.current)}`}
            className="flex h-full flex-1 items-end gap-px rounded-t-sm transition-colors hover:bg-hover"
          >
            <div className="flex-1 rounded-t-xs bg-(--series-2)" style={{ height: height(bar.reference) }} />
            <div className="flex-1 rounded-t-xs bg-(--series-1)" style={{ height: height(bar.current) }} />
          </div>
        ))}
      </div>
      <figcaption className="num mt-1 flex justify-between text-2xs text-faint">
        <span>{bars[0]?.label.split(' – ')[0]}</span>
        <span>{bars.at(-1)?.label.split(' – ').at(-1)}</span>
      </figcaption>
    </figure>
  );
}

/** Categories or words below each other, two bars each. */
function Categories({ bars }: { bars: Bar[] }) {
  const top = Math.max(...bars.flatMap((bar) => [bar.current, bar.reference]), 1e-9);
  return (
    <ul className="space-y-2" aria-label="Both distributions">
      {bars.map((bar) => (
        <li key={bar.label} className="grid grid-cols-[9rem_1fr_5.5rem] items-center gap-3 text-xs">
          <span className="truncate font-medium" title={bar.label}>
            {bar.label}
          </span>
          <span className="space-y-0.5" aria-hidden>
            {(['reference', 'current'] as const).map((side) => (
              <span
                key={side}
                className={`block h-1.5 min-w-px rounded-full ${side === 'current' ? 'bg-(--series-1)' : 'bg-(--series-2)'}`}
                style={{ width: `${(bar[side] / top) * 100}%` }}
              />
            ))}
          </span>
          <span className="num text-right text-muted">
            {formatShare(bar.reference)} → <span className="text-ink">{formatShare(bar.current)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

export function Examples({ title, color, examples }: { title: string; color: string; examples: Example[] }) {
  return (
    <section className="min-w-0">
      <h3 className="mb-1.5 flex items-center gap-2 text-xs font-medium">
        <span className="size-2.5 rounded-xs" style={{ background: `var(${color})` }} aria-hidden />
        {title}
      </h3>
      {examples.length === 0 && <p className="text-xs text-faint">None.</p>}
      <ul className="divide-y divide-line rounded-md border border-line empty:hidden">
        {examples.map((one) => (
          <li key={one.trace_id}>
            <Link
              to="/traces/$traceId"
              params={{ traceId: one.trace_id }}
              search={{ span: one.span_id }}
              className="flex items-center gap-3 px-3 py-1.5 text-xs transition-colors hover:bg-hover"
            >
              <span className="min-w-0 flex-1 truncate" title={one.value}>
                {one.value}
              </span>
              <span className="shrink-0 font-mono text-2xs text-faint">{one.trace_id.slice(-8)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The effect over the latest comparisons, with the least that would be drift. */
export function Trendline({ trend, least }: { trend: Trend | undefined; least: number }) {
  if (!trend || trend.points.length < 2) return null;
  const times = trend.points.map((point) => Date.parse(point.at));
  return (
    <section className="min-w-0">
      <h3 className="mb-1 text-xs font-medium">Effect, comparison by comparison</h3>
      <SeriesChart
        label="Effect over time"
        times={times}
        timesAre="moments"
        bucketMs={Math.max(60_000, (times[1] ?? 0) - (times[0] ?? 0))}
        kind="lines"
        format={(value) => value.toFixed(2)}
        height={120}
        series={[
          { label: 'effect', values: trend.points.map((point) => point.effect), color: '--series-1' },
          { label: 'limit', values: trend.points.map(() => least), color: '--faint', dashed: true },
        ]}
      />
    </section>
  );
}

/** One signal: both distributions, traces of both sides, and how it has gone. */
export function Compared({ cell, found, trend }: { cell: Cell; found: Found; trend: Trend | undefined }) {
  const ordered = cell.values === 'numbers' || cell.values === 'embedding';
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          {nameOf(cell.signal)}
          {cell.segment !== undefined && <Badge>{cell.segment}</Badge>}
          {cell.drifted && <Badge tone="error">drifted</Badge>}
        </span>
      }
      aside={
        <span className="num pr-2 text-xs text-muted">
          {formatWhole(cell.current_samples)} values now, {formatWhole(cell.reference_samples)} before
        </span>
      }
    >
      <div className="grid gap-6 p-4 pt-1 lg:grid-cols-2">
        <div className="min-w-0 space-y-4">
          <p className="text-sm">
            <Coded text={found.text} />
          </p>
          <p className="text-xs text-muted">
            Effect <strong className="num text-ink">{found.effect.toPrecision(3)}</strong> (
            {measureOf[cell.values]}); {found.min_effect} and more is drift, if it is sure: p{' '}
            <span className="num">{formatP(found.p)}</span>, corrected for all signals and segments{' '}
            <strong className="num text-ink">{formatP(found.p_adjusted)}</strong>.
          </p>
          {found.distribution.length > 0 &&
            (ordered ? <Histogram bars={found.distribution} /> : <Categories bars={found.distribution} />)}
        </div>
        <div className="min-w-0 space-y-4">
          <Examples title="Now, unlike before" color="--series-1" examples={found.current_examples} />
          <Examples title="Before, unlike now" color="--series-2" examples={found.reference_examples} />
          <Trendline trend={trend} least={found.min_effect} />
        </div>
      </div>
    </Card>
  );
}
