import { type Drawn, drawn, nameOf, shown, type TestedSeries } from './history';
import { type Series, SeriesChart, type Stretch } from './series-chart';

interface Props {
  series: TestedSeries;
  /** Stretches of time that are shown as such, and what they are. */
  shades?: Stretch[];
  shadesAre?: string;
  /** What is shown of time; all windows of the series without it. */
  range?: Stretch;
  height?: number;
}

const limit = (label: string, values: Drawn['low']): Series[] =>
  values ? [{ label, values, color: '--faint', dashed: true }] : [];

/** The windows of a monitor's series: the value, and the band or the limit. */
export function HistoryChart({ series, shades, shadesAre = 'firing', range, height = 140 }: Props) {
  const name = nameOf(series);
  const lines = drawn(series);
  const both = lines.low !== undefined && lines.high !== undefined;
  const lows = limit(both ? 'low' : 'limit', lines.low);
  const highs = limit(both ? 'high' : 'limit', lines.high);
  return (
    <>
      <figcaption className="flex flex-wrap items-center gap-x-4 gap-y-0.5 px-2 pb-1 text-xs text-muted">
        <span className="min-w-0 flex-1 font-mono break-all text-ink">{name}</span>
        <Key color="--series-1">value</Key>
        {(lows.length > 0 || highs.length > 0) && (
          <Key color="--faint" dashed>
            {both ? 'band' : 'limit'}
          </Key>
        )}
        {shades && shades.length > 0 && (
          <span className="flex items-center gap-1.5">
            <span className="h-2.5 w-4 rounded-xs bg-error/20" aria-hidden /> {shadesAre}
          </span>
        )}
      </figcaption>
      <SeriesChart
        label={`History of ${name || 'the value'}`}
        times={lines.times}
        timesAre="ends"
        bucketMs={lines.bucketMs}
        kind="lines"
        format={shown}
        height={height}
        axisChars={5}
        shades={shades}
        range={range}
        band={both ? ['low', 'high'] : undefined}
        series={[{ label: 'value', values: lines.value, color: '--series-1' }, ...lows, ...highs]}
      />
    </>
  );
}

/** What a line means. */
function Key({ color, dashed, children }: { color: string; dashed?: boolean; children: string }) {
  return (
    <span className="flex items-center gap-1.5">
      <span
        className={`w-4 border-t-2 ${dashed ? 'border-dashed' : ''}`}
        style={{ borderColor: `var(${color})` }}
        aria-hidden
      />
      {children}
    </span>
  );
}
