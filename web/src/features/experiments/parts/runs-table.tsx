import { ArrowDown, ArrowUp, GitCommitHorizontal, Pin, PinOff, Trash2 } from 'lucide-react';
import { useEffect, useRef } from 'react';

import type { Run } from '@/api/types';
import { formatCost, formatCount, formatDuration } from '@/shared/format/numbers';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';

import { figureOf, formatMeasure, halfOf, isLower, meanOf } from '../figures';
import { type RunOrder, sortedRuns } from '../order';
import { AskedItems } from './asked';
import { Delta } from './delta';
import { Status } from './status';

const cell = 'px-3 py-2 text-left align-top first:pl-4 last:pr-3';

function Head({
  title,
  by,
  order,
  onOrder,
  right,
}: {
  title: string;
  by: string;
  order: RunOrder;
  onOrder: (order: RunOrder) => void;
  right?: boolean;
}) {
  const here = order.by === by;
  const Icon = order.down ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={here ? (order.down ? 'descending' : 'ascending') : undefined}
      className={cx(cell, 'font-medium', right && 'text-right')}
    >
      <button
        type="button"
        onClick={() => onOrder({ by, down: here ? !order.down : true })}
        className="inline-flex max-w-36 items-center gap-1 hover:text-ink"
        title={title}
      >
        <span className="truncate">{title}</span>
        {here && <Icon size={11} className="shrink-0" aria-hidden />}
      </button>
    </th>
  );
}

function Figure({ metric, run, baseline }: { metric: string; run: Run; baseline?: Run }) {
  const [mean, base] = [meanOf(run, metric), meanOf(baseline, metric)];
  const figure = figureOf(run, metric);
  const half = halfOf(figure);
  const title = [
    figure?.values && `${figure.values.n} items, from ${figure.values.min} to ${figure.values.max}`,
    half !== undefined && `± ${formatMeasure(metric, half)} in 95 of 100 cases`,
    figure?.pass_rate !== undefined && `${Math.round(figure.pass_rate * 1000) / 10}% pass`,
    figure && figure.errors > 0 && `${figure.errors} couldn't be measured`,
  ];
  return (
    <td className={cx(cell, 'num text-right whitespace-nowrap')} title={title.filter(Boolean).join('\n')}>
      <div>
        {formatMeasure(metric, mean)}
        {half !== undefined && <span className="text-2xs text-faint"> ±{formatMeasure(metric, half)}</span>}
      </div>
      {run.id !== baseline?.id && (
        <Delta
          metric={metric}
          change={mean === undefined || base === undefined ? undefined : mean - base}
          lower={isLower([run], metric)}
        />
      )}
    </td>
  );
}

/** The runs of an experiment. Two or more of them are compared. */
export function RunsTable({
  runs,
  metrics,
  baseline,
  picked,
  onPick,
  order,
  onOrder,
  at,
  now,
  onPin,
  onDelete,
}: {
  runs: Run[];
  metrics: string[];
  baseline?: Run;
  picked: string[];
  onPick: (id: string) => void;
  order: RunOrder;
  onOrder: (order: RunOrder) => void;
  at?: string;
  now: number;
  onPin: (run: Run) => void;
  onDelete: (run: Run) => void;
}) {
  const row = useRef<HTMLTableRowElement>(null);
  // In braces: newer browsers answer with a promise, which is no clean-up.
  useEffect(() => {
    row.current?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  const head = { order, onOrder };
  return (
    <table className="w-full text-sm">
      <thead className="border-b border-line text-xs text-faint">
        <tr>
          <th className={cx(cell, 'w-8')}>
            <span className="sr-only">Compare</span>
          </th>
          <Head title="Run" by="started" {...head} />
          {metrics.map((metric) => (
            <Head key={metric} title={metric} by={`metric:${metric}`} right {...head} />
          ))}
          <Head title="Items" by="items" right {...head} />
          <Head title="Latency p50" by="latency" right {...head} />
          <Head title="Cost" by="cost" right {...head} />
          <th className={cell}>
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {sortedRuns(runs, order).map((run) => {
          const isBaseline = run.id === baseline?.id;
          return (
            <tr
              key={run.id}
              ref={run.id === at ? row : undefined}
              aria-selected={run.id === at}
              className={cx(
                'group transition-colors',
                run.id === at && 'shadow-[inset_2px_0_var(--accent)]',
                picked.includes(run.id) ? 'bg-accent-soft/50' : 'hover:bg-hover',
              )}
            >
              <td className={cell}>
                <input
                  type="checkbox"
                  aria-label={`Compare ${run.name}`}
                  checked={picked.includes(run.id)}
                  onChange={() => onPick(run.id)}
                  className="mt-1 size-3.5 accent-[var(--accent)]"
                />
              </td>
              <td className={cell}>
                <div className="flex flex-wrap items-center gap-1.5">
                  <button
                    type="button"
                    onClick={() => onPick(run.id)}
                    className="max-w-72 truncate text-left font-medium"
                    title={[run.name, run.target].filter(Boolean).join('\n')}
                  >
                    {run.name}
                  </button>
                  {isBaseline && (
                    <Badge tone="info">
                      <Pin size={10} aria-hidden /> baseline
                    </Badge>
                  )}
                  <Status run={run} />
                  {run.tags?.map((tag) => (
                    <Badge key={tag}>{tag}</Badge>
                  ))}
                </div>
                <div className="mt-0.5 flex flex-wrap items-center gap-x-2 text-xs text-faint">
                  <span title={exactTime(run.started_at)}>{formatAgo(run.started_at, now)}</span>
                  <AskedItems run={run} />
                  {run.commit !== undefined && (
                    <span className="inline-flex items-center gap-0.5 font-mono text-2xs" title={run.commit}>
                      <GitCommitHorizontal size={12} aria-hidden /> {run.commit.slice(0, 8)}
                    </span>
                  )}
                  {run.author !== undefined && <span>{run.author}</span>}
                </div>
              </td>
              {metrics.map((metric) => (
                <Figure key={metric} metric={metric} run={run} baseline={baseline} />
              ))}
              <td className={cx(cell, 'num text-right')}>
                {formatCount(run.items)}
                {run.failed_items > 0 && (
                  <div className="text-2xs text-error" title="With an error, or a score that doesn’t pass">
                    {formatCount(run.failed_items)} fail
                  </div>
                )}
              </td>
              <td className={cx(cell, 'num text-right')}>{formatDuration(run.summary?.latency_ms?.p50)}</td>
              <td className={cx(cell, 'num text-right')}>{formatCost(run.summary?.cost)}</td>
              <td className={cx(cell, 'whitespace-nowrap')}>
                <span className="flex justify-end opacity-0 transition-opacity group-hover:opacity-100 focus-within:opacity-100">
                  <IconButton
                    label={isBaseline ? `Unpin ${run.name}` : `Pin ${run.name} as the baseline`}
                    onClick={() => onPin(run)}
                  >
                    {isBaseline ? <PinOff size={14} aria-hidden /> : <Pin size={14} aria-hidden />}
                  </IconButton>
                  <IconButton label={`Delete ${run.name}`} onClick={() => onDelete(run)}>
                    <Trash2 size={14} aria-hidden />
                  </IconButton>
                </span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
