import { useState } from 'react';

import type { Run } from '@/api/types';
import { formatTime } from '@/shared/time/format';

import { figureOf, formatMeasure, halfOf, isLower } from '../figures';
import { Delta } from './delta';

const [width, height, edge] = [240, 84, 8];

/** Where values lie on the chart; a flat line lies in the middle. */
function scale(lows: number[], highs: number[]): (value: number) => number {
  const [low, high] = [Math.min(...lows), Math.max(...highs)];
  if (!(high > low)) return () => height / 2;
  return (value) => height - edge - ((value - low) / (high - low)) * (height - 2 * edge);
}

/** A metric over the runs of an experiment, the oldest left, with the interval of each mean and the baseline's level. */
export function Trend({ metric, runs, baseline }: { metric: string; runs: Run[]; baseline?: Run }) {
  const [over, setOver] = useState<number>();
  const points = [...runs].reverse().flatMap((run) => {
    const figure = figureOf(run, metric);
    const mean = figure?.values?.mean;
    return mean === undefined ? [] : [{ run, mean, half: halfOf(figure) ?? 0 }];
  });
  const last = points.at(-1);
  if (!last) return null;
  const base = figureOf(baseline, metric)?.values?.mean;
  const shown = over === undefined ? last : (points[over] ?? last);
  const extra = base === undefined ? [] : [base];
  const y = scale(
    [...points.map(({ mean, half }) => mean - half), ...extra],
    [...points.map(({ mean, half }) => mean + half), ...extra],
  );
  const x = (at: number): number =>
    points.length === 1 ? width / 2 : edge + (at / (points.length - 1)) * (width - 2 * edge);
  const band = [
    ...points.map(({ mean, half }, i) => `${x(i)},${y(mean + half)}`),
    ...points.map(({ mean, half }, i) => `${x(i)},${y(mean - half)}`).reverse(),
  ];
  const pick = (left: number, whole: number): void => {
    const share = (left / whole) * width;
    const nearest = points.reduce(
      (best, _, i) => (Math.abs(x(i) - share) < Math.abs(x(best) - share) ? i : best),
      0,
    );
    setOver(nearest);
  };
  const at = points.indexOf(shown);
  return (
    <figure className="min-w-0 rounded-lg border border-line bg-surface px-4 pt-3 pb-2">
      <figcaption className="flex items-baseline gap-2">
        <span className="min-w-0 truncate text-xs text-muted" title={metric}>
          {metric}
        </span>
        <span className="num ml-auto font-semibold">{formatMeasure(metric, shown.mean)}</span>
        <Delta
          metric={metric}
          change={base === undefined || shown.run.id === baseline?.id ? undefined : shown.mean - base}
          lower={isLower(runs, metric)}
          title={baseline && `against the baseline ${baseline.name}`}
        />
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        className="mt-1 block h-21 w-full overflow-visible"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${metric} over ${points.length} runs; the last is ${formatMeasure(metric, last.mean)}`}
        onMouseMove={({ clientX, currentTarget }) => {
          const box = currentTarget.getBoundingClientRect();
          pick(clientX - box.left, box.width);
        }}
        onMouseLeave={() => setOver(undefined)}
      >
        {base !== undefined && (
          <line
            x1={0}
            x2={width}
            y1={y(base)}
            y2={y(base)}
            stroke="var(--line-strong)"
            strokeDasharray="4 4"
            vectorEffect="non-scaling-stroke"
          />
        )}
        <polygon points={band.join(' ')} fill="var(--accent)" opacity={0.13} />
        <polyline
          points={points.map(({ mean }, i) => `${x(i)},${y(mean)}`).join(' ')}
          fill="none"
          stroke="var(--accent)"
          strokeWidth={1.75}
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
        {/* A line without length and with round ends is a point that no stretching makes an ellipse. */}
        <line
          x1={x(at)}
          x2={x(at)}
          y1={y(shown.mean)}
          y2={y(shown.mean)}
          stroke="var(--accent)"
          strokeWidth={7}
          strokeLinecap="round"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <p className="num truncate text-2xs text-faint" title={shown.run.name}>
        {shown.run.name} · {formatTime(shown.run.started_at)}
      </p>
    </figure>
  );
}
