import type { ComparedPairs } from '@/api/types';
import { Badge, type Tone } from '@/shared/ui/badge';

import { sentenceOf } from '../figures';

const looks: Record<ComparedPairs['verdict'], { tone: Tone; label: string }> = {
  better: { tone: 'ok', label: 'better' },
  worse: { tone: 'error', label: 'worse' },
  same: { tone: 'neutral', label: 'the same' },
  unclear: { tone: 'neutral', label: 'unclear' },
};

/** What may be said of a run against the baseline; its title says why. */
export function VerdictBadge({ metric, pairs }: { metric: string; pairs: ComparedPairs }) {
  const { tone, label } = looks[pairs.verdict];
  return (
    <Badge tone={tone} title={sentenceOf(metric, pairs)}>
      {label}
    </Badge>
  );
}

/** Items that are better, the same and worse, side by side. */
export function WinBar({ pairs }: { pairs: ComparedPairs }) {
  const { wins, ties, losses, n } = pairs;
  const share = (count: number): string => `${(count / Math.max(1, n)) * 100}%`;
  const told = `${wins} better, ${ties} the same, ${losses} worse`;
  return (
    <div className="min-w-28" title={told}>
      <div className="flex h-1.5 gap-px overflow-hidden rounded-full bg-sunken" role="img" aria-label={told}>
        <div className="bg-ok" style={{ width: share(wins) }} />
        <div className="bg-line-strong" style={{ width: share(ties) }} />
        <div className="bg-error" style={{ width: share(losses) }} />
      </div>
      <div className="num mt-1 flex justify-between text-2xs text-faint" aria-hidden>
        <span className={wins > 0 ? 'text-ok' : undefined}>{wins}</span>
        <span>{ties}</span>
        <span className={losses > 0 ? 'text-error' : undefined}>{losses}</span>
      </div>
    </div>
  );
}

/** Where the true difference lies, around the line of no difference. */
export function Interval({ pairs, lower, reach }: { pairs: ComparedPairs; lower: boolean; reach: number }) {
  const { mean, low = mean, high = mean, verdict } = pairs;
  const at = (value: number): number => 50 + (reach > 0 ? Math.max(-1, Math.min(1, value / reach)) * 48 : 0);
  const color =
    verdict === 'better' ? 'var(--ok)' : verdict === 'worse' ? 'var(--error)' : 'var(--series-other)';
  const flip = lower ? ' (less is better)' : '';
  return (
    <svg viewBox="0 0 100 12" preserveAspectRatio="none" className="block h-3 w-full min-w-24" aria-hidden>
      <title>{`from ${low} to ${high}${flip}`}</title>
      <line x1={50} x2={50} y1={0} y2={12} stroke="var(--line-strong)" vectorEffect="non-scaling-stroke" />
      <line
        x1={at(low)}
        x2={at(high)}
        y1={6}
        y2={6}
        stroke={color}
        strokeWidth={3}
        strokeLinecap="round"
        opacity={0.45}
        vectorEffect="non-scaling-stroke"
      />
      <line
        x1={at(mean)}
        x2={at(mean)}
        y1={6}
        y2={6}
        stroke={color}
        strokeWidth={7}
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
