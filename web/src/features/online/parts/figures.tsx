import type { OnlineSummary } from '@/api/types';
import { Sparkline } from '@/shared/chart/sparkline';
import { formatCount, formatShare, trimZeros } from '@/shared/format/numbers';
import { Badge } from '@/shared/ui/badge';

type Scorer = OnlineSummary['scorers'][number];
type Figure = NonNullable<Scorer['mean']>;

const plain = (value: number): string => trimZeros(value.toFixed(Math.abs(value) < 10 ? 3 : 1));

/** An estimate and where the truth lies. */
function Estimate({
  title,
  figure,
  format,
}: {
  title: string;
  figure: Figure;
  format: (value: number) => string;
}) {
  const { value, low, high } = figure;
  const sure = low !== undefined && high !== undefined;
  return (
    <div
      className="min-w-0"
      title={sure ? '95 % confidence interval over traces' : 'Too few traces to say how sure'}
    >
      <div className="text-2xs text-faint">{title}</div>
      <div className="flex items-baseline gap-1.5">
        <span className="num text-lg font-semibold tracking-tight">{format(value)}</span>
        {sure && (
          <span className="num text-2xs text-muted">
            {format(low)} – {format(high)}
          </span>
        )}
      </div>
    </div>
  );
}

/** What one scorer says of all traffic. */
export function ScorerFigures({ scorer }: { scorer: Scorer }) {
  const { name, scored, stands_for: stands, mean, pass_rate: passes, series } = scorer;
  // Of a metric that says yes or no, the mean says nothing more.
  const same = mean && passes && Math.abs(mean.value - passes.value) < 1e-9;
  const shown = series.map((point) => point.pass_rate ?? point.mean ?? null);
  return (
    <div className="min-w-0 rounded-md border border-line bg-bg px-3 py-2.5">
      <div className="flex items-center gap-2">
        <span className="truncate font-mono text-xs font-medium">{name}</span>
        <Badge
          className="ml-auto"
          title={`${formatCount(scored)} scores stand for about ${formatCount(stands)} spans`}
        >
          <span className="num">
            {formatCount(scored)}
            {Math.round(stands) > scored && ` of ~${formatCount(stands)}`}
          </span>
        </Badge>
      </div>
      <div className="mt-2 flex flex-wrap gap-x-6 gap-y-2">
        {passes && <Estimate title="Passes" figure={passes} format={formatShare} />}
        {mean && !same && <Estimate title="Mean" figure={mean} format={plain} />}
      </div>
      <div className="mt-1.5" role="img" aria-label={`${name} over time`}>
        <Sparkline values={shown} color={passes ? 'var(--series-1)' : 'var(--series-2)'} />
      </div>
    </div>
  );
}
