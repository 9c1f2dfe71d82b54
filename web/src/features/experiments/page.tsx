import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useRef, useState } from 'react';

import type { ExperimentSummary } from '@/api/types';
import { formatCost, formatCount } from '@/shared/format/numbers';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { exactTime, formatAgo } from '@/shared/time/format';
import { useNow } from '@/shared/time/use-now';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { formatMeasure, isLower, meanOf, metricsOf } from './figures';
import { AskedItems } from './parts/asked';
import { Delta } from './parts/delta';
import { NoExperiments } from './parts/empty';
import { Status } from './parts/status';
import { experimentsQuery } from './queries';

const cell = 'px-3 py-2.5 text-left align-top first:pl-4 last:pr-4';
/** More metrics than these are on the experiment's own page. */
const mostMetrics = 5;

function Row({ one, picked, now }: { one: ExperimentSummary; picked: boolean; now: number }) {
  const { last_run: run, compared_with: before } = one;
  const metrics = run ? metricsOf([run]) : [];
  return (
    <tr className={cx('group transition-colors hover:bg-hover', picked && 'bg-hover')} aria-selected={picked}>
      <td className={cell}>
        <Link
          to="/experiments/$name"
          params={{ name: one.name }}
          className="font-medium group-hover:text-accent hover:underline"
        >
          {one.name}
        </Link>
        <div className="num mt-0.5 text-xs text-faint">
          {one.runs} {one.runs === 1 ? 'run' : 'runs'}
        </div>
      </td>
      <td className={cell}>
        {run && (
          <>
            <div className="flex flex-wrap items-center gap-1.5">
              <span className="max-w-64 truncate" title={run.name}>
                {run.name}
              </span>
              <Status run={run} />
            </div>
            <div className="mt-0.5 flex flex-wrap gap-x-2 text-xs text-faint">
              <span title={exactTime(run.started_at)}>{formatAgo(run.started_at, now)}</span>
              <AskedItems run={run} />
            </div>
          </>
        )}
      </td>
      <td className={cell}>
        <ul className="flex flex-wrap gap-x-5 gap-y-1.5">
          {run &&
            metrics.slice(0, mostMetrics).map((metric) => {
              const [mean, old] = [meanOf(run, metric), meanOf(before, metric)];
              return (
                <li key={metric} className="min-w-20">
                  <div className="max-w-32 truncate text-2xs text-faint" title={metric}>
                    {metric}
                  </div>
                  <div className="flex items-baseline gap-1.5">
                    <span className="num font-medium">{formatMeasure(metric, mean)}</span>
                    <Delta
                      metric={metric}
                      change={mean === undefined || old === undefined ? undefined : mean - old}
                      lower={isLower([run], metric)}
                      title={before && `against ${before.name}`}
                    />
                  </div>
                </li>
              );
            })}
          {metrics.length > mostMetrics && (
            <li className="self-center text-xs text-faint">and {metrics.length - mostMetrics} more</li>
          )}
        </ul>
      </td>
      <td className={cx(cell, 'num text-right')}>{formatCount(run?.items)}</td>
      <td className={cx(cell, 'num text-right')}>{formatCost(run?.summary?.cost)}</td>
    </tr>
  );
}

/** Every experiment, and how its last run stands against the one before. */
export function ExperimentsPage() {
  const answer = useQuery(experimentsQuery);
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(-1);
  const now = useNow(30_000);
  const all = answer.data?.experiments ?? [];
  const listed = all.filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()));
  const move = (by: number): void => setAt(Math.min(listed.length - 1, Math.max(0, at + by)));
  const group = 'Experiments';
  useShortcuts([
    { keys: '/', label: 'Search experiments', group, run: () => input.current?.focus() },
    { keys: 'j', label: 'Next experiment', group, run: () => move(1) },
    { keys: 'k', label: 'Previous experiment', group, run: () => move(-1) },
    {
      keys: 'enter',
      label: 'Open the experiment',
      group,
      run: () => {
        const picked = listed[at];
        if (picked) void navigate({ to: '/experiments/$name', params: { name: picked.name } });
      },
    },
  ]);
  return (
    <>
      <title>Experiments · Signalbox</title>
      <PageHeader title="Experiments">
        {all.length > 0 && (
          <div className="relative w-72">
            <Search
              size={14}
              className="pointer-events-none absolute top-[9px] left-2.5 text-faint"
              aria-hidden
            />
            <input
              ref={input}
              type="search"
              aria-label="Search experiments"
              placeholder="Name"
              className={cx(inputClass, 'pl-8')}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setAt(-1);
              }}
            />
          </div>
        )}
      </PageHeader>
      <div className="min-h-0 flex-1 overflow-y-auto p-5">
        {answer.isError && !answer.data && (
          <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
        )}
        {answer.data?.experiments.length === 0 && <NoExperiments />}
        {(answer.isPending || all.length > 0) && (
          <div className="overflow-x-auto rounded-lg border border-line bg-surface">
            {answer.isPending && <SkeletonRows rows={5} widths={['w-40', 'w-48', 'w-64', 'w-16']} />}
            {all.length > 0 && (
              <table className="w-full text-sm">
                <thead className="border-b border-line text-xs text-faint">
                  <tr>
                    {['Experiment', 'Last run', 'What its answers are worth'].map((title) => (
                      <th key={title} scope="col" className={cx(cell, 'font-medium')}>
                        {title}
                      </th>
                    ))}
                    {['Items', 'Cost'].map((title) => (
                      <th key={title} scope="col" className={cx(cell, 'text-right font-medium')}>
                        {title}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody className="divide-y divide-line">
                  {listed.map((one, i) => (
                    <Row key={one.name} one={one} picked={i === at} now={now} />
                  ))}
                </tbody>
              </table>
            )}
            {all.length > 0 && listed.length === 0 && <EmptyState title="No experiment is called so" />}
          </div>
        )}
      </div>
    </>
  );
}
