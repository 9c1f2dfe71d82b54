import 'uplot/dist/uPlot.min.css';

import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';

import { trimZeros } from '@/shared/format/numbers';
import { useDark } from '@/shared/theme/theme';
import { tickLabel } from '@/shared/time/format';
import { cx } from '@/shared/ui/cx';

import { stack, type Values } from './stack';

export interface Series {
  label: string;
  values: Values;
  /** A colour of the theme, e.g. `--series-1`. */
  color: string;
  /** What it is measured against: a limit, an edge of a band. */
  dashed?: boolean;
}

/** A stretch of time, in milliseconds. */
export type Stretch = [from: number, to: number];

interface Props {
  label: string;
  /** Of the buckets, in milliseconds. */
  times: number[];
  /** What of a bucket `times` are: where it starts or ends; or it has no width. */
  timesAre?: 'starts' | 'ends' | 'moments';
  bucketMs: number;
  series: Series[];
  /** Bars show amounts per bucket and are stacked; lines show levels. */
  kind: 'bars' | 'lines';
  format: (value: number) => string;
  /** A bucket was clicked. */
  onPick?: (from: number, to: number, series?: Series) => void;
  /** A stretch of time was dragged over. */
  onZoom?: (from: number, to: number) => void;
  height?: number;
  /** Characters for which the axis of values has room at least: charts below each other then begin alike. */
  axisChars?: number;
  /** What is shown of time, where that is not the buckets: charts below each other then have one axis. */
  range?: Stretch;
  /** Stretches of time that are shown as such. */
  shades?: Stretch[];
  /** The labels of the two lines between which values are as usual. */
  band?: [low: string, high: string];
}

const cssColor = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const alpha = (color: string, share: number): string =>
  `color-mix(in srgb, ${color} ${Math.round(share * 100)}%, transparent)`;

function drawnData({ kind, times, series }: Pick<Props, 'kind' | 'times' | 'series'>): uPlot.AlignedData {
  const values = series.map((one) => one.values);
  const seconds = times.map((ms) => ms / 1_000);
  // Stacked bars are painted over each other, the whole first.
  return [seconds, ...(kind === 'bars' ? stack(values).reverse() : values)];
}

interface Hooks {
  onDraw: (axisWidth: number) => void;
  onCursor: (index: number | null, left: number) => void;
  onSelect: (from: number, to: number) => void;
}

/** What is too narrow to be seen is drawn as wide as a line. */
const LEAST_SHADE = 3;

function paint(plot: uPlot, shades: Stretch[]): void {
  const { left, top, width, height } = plot.bbox;
  const place = (ms: number): number =>
    Math.min(left + width, Math.max(left, plot.valToPos(ms / 1_000, 'x', true)));
  plot.ctx.save();
  plot.ctx.fillStyle = alpha(cssColor('--error'), 0.16);
  for (const [from, to] of shades) {
    const wide = Math.max(LEAST_SHADE * uPlot.pxRatio, place(to) - place(from));
    plot.ctx.fillRect(Math.min(place(from), left + width - wide), top, wide, height);
  }
  plot.ctx.restore();
}

/** From when until when the axis goes, in milliseconds. A single moment has to have some width. */
function shownRange({ times, timesAre = 'starts', bucketMs, range }: Props): Stretch {
  const [from, to] = range ?? [times[0] ?? 0, (times.at(-1) ?? 0) + (timesAre === 'starts' ? bucketMs : 0)];
  return [from, Math.max(to, from + Math.max(bucketMs, 60_000))];
}

function optionsFor(props: Props, width: number, hooks: Hooks): uPlot.Options {
  const { kind, format, height = 168, band, axisChars = 2 } = props;
  const series = kind === 'bars' ? [...props.series].reverse() : props.series;
  const [from, to] = shownRange(props).map((ms) => ms / 1_000) as Stretch;
  const place = (label: string): number => series.findIndex((one) => one.label === label) + 1;
  const axis = {
    stroke: cssColor('--faint'),
    font: '11px "Inter Variable", sans-serif',
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.76, 28], align: 1, radius: 0.12 });
  return {
    width,
    height,
    legend: { show: false },
    // On the right, half of the last label of the axis.
    padding: [10, 26, 0, 0],
    bands: band && [{ series: [place(band[1]), place(band[0])], fill: alpha(cssColor('--faint'), 0.12) }],
    scales: {
      x: { time: true, range: () => [from, to] },
      y: { range: (_plot, low, high) => [low < 0 ? low * 1.08 : 0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 6,
        space: 64,
        grid: { show: false },
        values: (_plot, ticks) => ticks.map((tick) => tickLabel(tick * 1_000, (to - from) * 1_000)),
      },
      {
        ...axis,
        // As wide as its longest label: counts need less than prices.
        size: (_plot, labels: string[] | null) =>
          14 + 6.4 * Math.max(axisChars, ...(labels ?? []).map((text) => text.length)),
        gap: 6,
        space: height < 120 ? 24 : 34,
        grid: { stroke: cssColor('--grid'), width: 1 },
        values: (_plot, ticks) => ticks.map((tick) => trimZeros(format(tick))),
      },
    ],
    series: [
      {},
      ...series.map((one): uPlot.Series => {
        const color = cssColor(one.color);
        if (kind === 'bars')
          return { label: one.label, fill: color, width: 0, paths: bars, points: { show: false } };
        return {
          label: one.label,
          stroke: color,
          width: one.dashed ? 1.25 : 1.75,
          dash: one.dashed ? [4, 4] : undefined,
          spanGaps: true,
          // A limit that is known once only would not be seen without its point.
          points: one.dashed && one.values.length > 1 ? { show: false } : { size: 4, fill: color },
          fill: series.length === 1 ? alpha(color, 0.1) : undefined,
        };
      }),
    ],
    cursor: {
      y: false,
      points: { show: kind === 'lines', size: 7 },
      drag: { x: true, y: false, setScale: false, dist: 6 },
    },
    hooks: {
      // Below the grid and the lines.
      drawClear: [(plot) => paint(plot, props.shades ?? [])],
      draw: [(plot) => hooks.onDraw(plot.over.offsetLeft)],
      setCursor: [(plot) => hooks.onCursor(plot.cursor.idx ?? null, plot.cursor.left ?? -1)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 6) return;
          hooks.onSelect(
            plot.posToVal(plot.select.left, 'x') * 1_000,
            plot.posToVal(plot.select.left + plot.select.width, 'x') * 1_000,
          );
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function Tooltip({
  index,
  left,
  width,
  props,
}: {
  index: number;
  left: number;
  width: number;
  props: Props;
}) {
  const { times, timesAre = 'starts', bucketMs, series, kind, format, onPick } = props;
  const time = times[index];
  if (time === undefined) return null;
  const start = timesAre === 'ends' ? time - bucketMs : time;
  const rows = series.map((one) => ({ ...one, value: one.values[index] ?? null }));
  const shown =
    kind === 'bars'
      ? rows.filter((row) => row.value !== null && row.value !== 0).reverse()
      : rows.filter((row) => row.value !== null).reverse();
  const total = rows.reduce((sum, row) => sum + (row.value ?? 0), 0);
  const range = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const label = (ms: number): string =>
    range > 3 * 86_400_000
      ? `${tickLabel(ms, range)} ${tickLabel(ms, 3_600_000)}`
      : tickLabel(ms, Math.min(range, bucketMs < 60_000 ? 1 : range));
  return (
    <div
      className={cx(
        'pointer-events-none absolute top-1 z-10 min-w-36 rounded-md border border-line bg-raised px-2.5 py-2 text-xs shadow-pop',
      )}
      style={left > width / 2 ? { right: width - left + 14 } : { left: left + 14 }}
    >
      <div className="num mb-1 text-2xs text-faint">
        {timesAre === 'moments' ? label(start) : `${label(start)} – ${label(start + bucketMs)}`}
      </div>
      {shown.length === 0 && <div className="text-muted">nothing</div>}
      {shown.map((row) => (
        <div key={row.label} className="flex items-center gap-2">
          <span className="size-2 shrink-0 rounded-[2px]" style={{ background: `var(${row.color})` }} />
          <span className="max-w-44 truncate text-muted">{row.label}</span>
          <span className="num ml-auto pl-3 font-medium">{row.value === null ? '–' : format(row.value)}</span>
        </div>
      ))}
      {kind === 'bars' && shown.length > 1 && (
        <div className="mt-1 flex border-t border-line pt-1 text-muted">
          total<span className="num ml-auto font-medium text-ink">{format(total)}</span>
        </div>
      )}
      {onPick && shown.length > 0 && (
        <div className="mt-1 text-2xs text-faint">click for traces · drag to zoom</div>
      )}
    </div>
  );
}

/** Numbers over time. Click a bucket to open its traces, drag to zoom. */
export function SeriesChart(props: Props) {
  const { times, bucketMs, series, kind, onPick, onZoom, height = 168, label, shades, range } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [width, setWidth] = useState(0);
  const [hover, setHover] = useState<{ index: number; left: number } | null>(null);
  const [inside, setInside] = useState(false);
  const dark = useDark();
  const [axisWidth, setAxisWidth] = useState(58);
  const latest = useRef(props);
  const draggedAt = useRef(0);
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const data = useMemo(() => drawnData({ kind, times, series }), [kind, times, series]);
  // The plot is made anew when anything but its numbers changes; refreshed numbers are set in place.
  const shape = [
    dark,
    width,
    height,
    kind,
    bucketMs,
    times[0],
    times.length,
    ...(range ?? []),
    ...(shades ?? []).flat(),
    ...series.map((one) => one.label + one.color),
  ].join('|');
  useEffect(() => {
    const element = host.current;
    if (!element || width === 0) return;
    const hooks: Hooks = {
      onDraw: setAxisWidth,
      onCursor: (index, left) => setHover(index === null || left < 0 ? null : { index, left }),
      onSelect: (from, to) => {
        draggedAt.current = performance.now();
        latest.current.onZoom?.(from, to);
      },
    };
    const made = new uPlot(optionsFor(latest.current, width, hooks), drawnData(latest.current), element);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
      setHover(null);
    };
  }, [shape, width]);
  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <div className="relative min-w-0 px-2 pb-2">
      <div
        ref={host}
        role="img"
        aria-label={label}
        className={cx('min-w-0 overflow-hidden', onPick && 'cursor-pointer', onZoom && 'select-none')}
        style={{ height }}
        onMouseEnter={() => setInside(true)}
        onMouseLeave={() => setInside(false)}
        onClick={() => {
          const start = hover === null ? undefined : times[hover.index];
          // The click that ends a drag is none.
          if (start !== undefined && performance.now() - draggedAt.current > 100)
            onPick?.(start, start + bucketMs);
        }}
      />
      {inside && hover && (
        <Tooltip index={hover.index} left={hover.left + axisWidth} width={width} props={props} />
      )}
    </div>
  );
}

/** What the colours mean; a label that can be clicked opens its traces. */
export function Legend({ series, onPick }: { series: Series[]; onPick?: (series: Series) => void }) {
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-1 px-4 pb-3 text-xs text-muted">
      {series.map((one) => (
        <li key={one.label} className="flex min-w-0 items-center gap-1.5">
          <span className="size-2 shrink-0 rounded-[2px]" style={{ background: `var(${one.color})` }} />
          {onPick ? (
            <button
              type="button"
              className="truncate rounded-sm hover:text-ink hover:underline"
              onClick={() => onPick(one)}
            >
              {one.label}
            </button>
          ) : (
            <span className="truncate">{one.label}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
