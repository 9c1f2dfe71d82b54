import { drawn, shown, type TestedSeries } from './history';
import { SeriesChart } from './series-chart';

interface Props {
  series: TestedSeries;
  /** A stretch of time to be shown as such, in milliseconds. */
  shade?: [number, number];
  height?: number;
}

/** The windows of a monitor's series: the value, and the band or the limit. */
export function HistoryChart({ series, shade, height = 140 }: Props) {
  const name = Object.values(series.labels).join(' · ');
  const lines = drawn(series);
  return (
    <>
      {name && <figcaption className="px-2 pb-1 font-mono text-xs text-muted">{name}</figcaption>}
      <SeriesChart
        label={`History of ${name || 'the value'}`}
        times={lines.times}
        bucketMs={lines.bucketMs}
        kind="lines"
        format={shown}
        height={height}
        shade={shade}
        series={[
          { label: 'value', values: lines.value, color: '--series-1' },
          ...(lines.low ? [{ label: 'low', values: lines.low, color: '--faint' }] : []),
          ...(lines.high
            ? [{ label: lines.low ? 'high' : 'limit', values: lines.high, color: '--faint' }]
            : []),
        ]}
      />
    </>
  );
}
