import { SeriesChart, type Stretch } from '@/shared/chart/series-chart';

import { drawn, freezeBelow } from '../state';
import type { Definition, Standing } from '../types';

/** What was left of the budget over the period, and what was spent in each part of it. */
export function BurnDown({ standing, definition }: { standing: Standing; definition: Definition }) {
  const lines = drawn(standing.burn_down, freezeBelow(definition));
  if (standing.total === 0)
    return (
      <p className="rounded-md border border-dashed border-line p-8 text-center text-sm text-muted">
        Nothing has happened over its period that would count.
      </p>
    );
  const shown = (value: number) => Number(value.toFixed(value < 10 ? 1 : 0)).toLocaleString('en');
  const axisChars = Math.max(...lines.left.map((left) => shown(left).length + 2));
  // One axis for both, so that what was spent stands below what it left.
  const range: Stretch = [(lines.times[0] ?? 0) - lines.bucketMs, lines.times.at(-1) ?? 0];
  return (
    <div className="space-y-3">
      <figure className="rounded-md border border-line px-1 pt-2">
        <figcaption className="flex items-center px-2 pb-1 text-xs text-muted">
          Error budget left
          {lines.freeze && (
            <span className="ml-auto flex items-center gap-1.5">
              <span className="w-4 border-t-2 border-dashed border-error" aria-hidden /> releases wait below
            </span>
          )}
        </figcaption>
        <SeriesChart
          label="Error budget left over the period"
          times={lines.times}
          timesAre="ends"
          bucketMs={lines.bucketMs}
          kind="lines"
          format={(value) => `${shown(value)} %`}
          height={180}
          range={range}
          axisChars={axisChars}
          series={[
            { label: 'left', values: lines.left, color: '--series-1' },
            ...(lines.freeze
              ? [{ label: 'releases wait', values: lines.freeze, color: '--error', dashed: true }]
              : []),
          ]}
        />
      </figure>
      <figure className="rounded-md border border-line px-1 pt-2">
        <figcaption className="px-2 pb-1 text-xs text-muted">Bad events</figcaption>
        <SeriesChart
          label="Bad events over the period"
          times={lines.times.map((end) => end - lines.bucketMs)}
          bucketMs={lines.bucketMs}
          range={range}
          axisChars={axisChars}
          kind="bars"
          format={shown}
          height={100}
          series={[{ label: 'bad', values: lines.bad, color: '--error' }]}
        />
      </figure>
    </div>
  );
}
