import type { ComparedMetric, ComparedRun, Comparison } from '@/api/types';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';

import {
  formatMeasure,
  formatP,
  formatSigned,
  letterOf,
  runColors,
  titleOf,
  toneOf,
  toneText,
} from '../figures';
import { Interval, VerdictBadge, WinBar } from './verdict';

const cell = 'px-3 py-3 text-left align-top first:pl-4 last:pr-4';

/** The largest end of any interval of a metric: all of its intervals are drawn to one scale. */
function reachOf({ runs }: ComparedMetric): number {
  const ends = runs.flatMap(({ difference }) =>
    difference
      ? [difference.low ?? difference.mean, difference.high ?? difference.mean, difference.mean]
      : [],
  );
  return Math.max(0, ...ends.map(Math.abs));
}

function Mean({ metric, run }: { metric: string; run: ComparedRun }) {
  const { mean, low, high, n } = run;
  const interval =
    low !== undefined && high !== undefined
      ? `${formatMeasure(metric, low)} to ${formatMeasure(metric, high)}`
      : undefined;
  return (
    <div>
      <div className="num text-lg leading-6 font-semibold">{formatMeasure(metric, mean)}</div>
      <div className="num text-2xs text-faint" title="The true mean lies there in 95 of 100 cases">
        {interval ?? `${n} ${n === 1 ? 'item' : 'items'}`}
      </div>
    </div>
  );
}

function Compared({ metric, run, reach }: { metric: ComparedMetric; run: ComparedRun; reach: number }) {
  const lower = metric.direction === 'lower';
  const pairs = run.difference;
  return (
    <div className="grid min-w-64 grid-cols-[minmax(7.5rem,auto)_1fr] gap-x-4">
      <Mean metric={metric.metric} run={run} />
      {pairs ? (
        <div className="min-w-0 space-y-1.5">
          <div className="flex items-center gap-2">
            <span className={cx('num text-sm font-medium', toneText[toneOf(pairs.mean, lower)])}>
              {formatSigned(metric.metric, pairs.mean)}
            </span>
            <VerdictBadge metric={metric.metric} pairs={pairs} />
            <span className="num ml-auto text-2xs text-faint" title="Corrected for the number of comparisons">
              {formatP(pairs.p_adjusted)}
            </span>
          </div>
          <Interval pairs={pairs} lower={lower} reach={reach} />
          <WinBar pairs={pairs} />
        </div>
      ) : (
        <p className="text-xs text-faint">no items in common</p>
      )}
    </div>
  );
}

/** Every metric of every run, and the difference from the baseline with what may be said of it. */
export function Sum({
  told,
  picked,
  onPick,
}: {
  told: Comparison;
  picked?: string;
  onPick: (metric: string) => void;
}) {
  const base = told.runs.findIndex(({ id }) => id === told.baseline);
  return (
    <Card
      title="In sum"
      aside={
        <span className="pr-2 text-xs text-faint">
          differences on the items that both runs have; intervals hold in 95 of 100 cases
        </span>
      }
    >
      <div className="overflow-x-auto border-t border-line">
        <table className="w-full text-sm">
          <thead className="border-b border-line text-xs text-faint">
            <tr>
              <th scope="col" className={cx(cell, 'py-2 font-medium')}>
                Metric
              </th>
              {told.runs.map((run, i) => (
                <th key={run.id} scope="col" className={cx(cell, 'py-2 font-medium')}>
                  <span className="flex items-center gap-1.5">
                    <span className="size-2 rounded-full" style={{ background: runColors[i] }} aria-hidden />
                    {letterOf(i)}
                    <span className="max-w-48 truncate text-ink" title={run.name}>
                      {run.name}
                    </span>
                    {i === base && <span className="text-2xs">baseline</span>}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {told.metrics.map((metric) => (
              <tr key={metric.metric} className={cx(metric.metric === picked && 'bg-hover')}>
                <th scope="row" className={cx(cell, 'font-normal')}>
                  <button
                    type="button"
                    onClick={() => onPick(metric.metric)}
                    className="max-w-44 truncate text-left font-medium hover:text-accent hover:underline"
                    title={`Sort the items by ${metric.metric}`}
                  >
                    {titleOf(metric.metric)}
                  </button>
                  <div className="text-2xs text-faint">
                    {metric.direction === 'lower' ? 'less is better' : 'more is better'}
                  </div>
                </th>
                {metric.runs.map((run, i) => (
                  <td key={run.run} className={cell}>
                    {i === base ? (
                      <Mean metric={metric.metric} run={run} />
                    ) : (
                      <Compared metric={metric} run={run} reach={reachOf(metric)} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
