import type { MetricAbout, MetricScore } from '@/api/types';
import { formatMicros, formatScore } from '@/shared/format/numbers';
import { cutAt } from '@/shared/format/pieces';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';

import { isBetterHigh } from '../families';

/** Where a value lies between the ends of its range, and which part of it passes. */
function Scale({ metric, value, threshold }: { metric: MetricAbout; value: number; threshold: number }) {
  const { low, high } = metric;
  if (low === undefined || high === undefined || high <= low) return null;
  const at = (number: number): number => Math.min(100, Math.max(0, ((number - low) / (high - low)) * 100));
  const better = isBetterHigh(metric);
  const passing = better ? { left: `${at(threshold)}%`, right: 0 } : { left: 0, width: `${at(threshold)}%` };
  return (
    <div aria-hidden>
      <div className="relative h-2 rounded-full bg-sunken">
        <div className="absolute inset-y-0 rounded-full bg-accent-soft" style={passing} />
        <div
          className="absolute inset-y-[-3px] w-0.5 -translate-x-1/2 bg-line-strong"
          style={{ left: `${at(threshold)}%` }}
        />
        <div
          className="absolute top-1/2 size-3.5 -translate-x-1/2 -translate-y-1/2 rounded-full border-2 border-surface bg-accent shadow-pop transition-[left]"
          style={{ left: `${at(value)}%` }}
        />
      </div>
      <div className="num mt-1.5 flex justify-between text-2xs text-faint">
        <span>{low}</span>
        <span>
          passes {better ? 'from' : 'up to'} {threshold}
        </span>
        <span>{high}</span>
      </div>
    </div>
  );
}

/** The places that decided, in the texts that they stand in. */
function Evidence({ score, values }: { score: MetricScore; values: Record<string, unknown> }) {
  const evidence = score.evidence ?? [];
  const inputs = [...new Set(evidence.map(({ input }) => input))];
  return inputs.map((input) => {
    const places = evidence.filter((one) => one.input === input);
    const text = values[input];
    return (
      <div key={input}>
        <h4 className="eyebrow mb-1">Evidence in {input}</h4>
        {typeof text === 'string' && (
          <p className="max-h-64 overflow-y-auto rounded-md border border-line bg-sunken p-3 text-sm leading-6 break-words whitespace-pre-wrap">
            {cutAt(text, places).map((piece, i) =>
              piece.over.length === 0 ? (
                <span key={i}>{piece.text}</span>
              ) : (
                <mark
                  key={i}
                  title={piece.over.map(({ note }) => note).join('\n')}
                  className="rounded-xs bg-warn-soft text-ink underline decoration-warn decoration-2 underline-offset-2"
                >
                  {piece.text}
                </mark>
              ),
            )}
          </p>
        )}
        <ul className="mt-1.5 space-y-0.5 text-xs text-muted">
          {places.map(({ start, end, note }, i) => (
            <li key={i} className="flex gap-2">
              <span className="num shrink-0 text-faint">
                {start}–{end}
              </span>
              {note}
            </li>
          ))}
        </ul>
      </div>
    );
  });
}

/** What a metric says of a case. */
export function Result({
  metric,
  score,
  values,
  threshold,
  stale,
}: {
  metric: MetricAbout;
  score: MetricScore;
  values: Record<string, unknown>;
  threshold: number;
  stale: boolean;
}) {
  if (score.error !== undefined)
    return (
      <div role="alert" className="rounded-md bg-error-soft p-3 text-sm text-error">
        {score.error}
      </div>
    );
  return (
    <div className={cx('space-y-4 transition-opacity', stale && 'opacity-60')} role="status">
      <div className="flex items-center gap-3">
        <span className="num text-2xl font-semibold tracking-tight">{formatScore(score.value)}</span>
        <Badge tone={score.passed === true ? 'ok' : 'error'}>
          {score.passed === true ? 'passes' : 'fails'}
        </Badge>
        <span className="num ml-auto text-xs text-muted" title="How long the metric took">
          {formatMicros(score.us)}
        </span>
      </div>
      {score.value !== undefined && <Scale metric={metric} value={score.value} threshold={threshold} />}
      {score.reason !== undefined && <p className="text-sm break-words text-muted">{score.reason}</p>}
      <Evidence score={score} values={values} />
    </div>
  );
}
