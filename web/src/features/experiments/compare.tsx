import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { ChevronRight, Pin, TriangleAlert } from 'lucide-react';

import type { Comparison } from '@/api/types';
import { dash, formatCost, formatCount, formatDuration } from '@/shared/format/numbers';
import { exactTime, formatTime } from '@/shared/time/format';
import { cx } from '@/shared/ui/cx';
import { PageHeader } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { letterOf, othersItems, runColors } from './figures';
import { AskedItems } from './parts/asked';
import { Items } from './parts/items';
import { Segments } from './parts/segments';
import { Settings } from './parts/settings';
import { Sum } from './parts/sum';
import { comparisonQuery } from './queries';
import type { CompareSearch } from '@/shared/url/compare-search';

const route = getRouteApi('/house/experiments/$name/compare');

function Runs({ told, onBaseline }: { told: Comparison; onBaseline: (id: string) => void }) {
  return (
    <ul className="flex flex-wrap gap-3" aria-label="Runs">
      {told.runs.map((run, i) => {
        const own = run.id === told.baseline;
        return (
          <li
            key={run.id}
            className={cx(
              'min-w-56 flex-1 rounded-lg border bg-surface px-4 py-3',
              own ? 'border-line-strong' : 'border-line',
            )}
          >
            <div className="flex items-center gap-2">
              <span className="size-2.5 rounded-full" style={{ background: runColors[i] }} aria-hidden />
              <span className="text-xs font-semibold text-faint">{letterOf(i)}</span>
              <span className="min-w-0 truncate font-medium" title={run.name}>
                {run.name}
              </span>
              <button
                type="button"
                onClick={() => onBaseline(run.id)}
                disabled={own}
                className={cx(
                  'ml-auto inline-flex shrink-0 items-center gap-1 rounded-sm px-1.5 text-2xs font-medium',
                  own ? 'bg-info-soft text-info' : 'text-faint hover:bg-hover hover:text-ink',
                )}
                title={own ? 'The others are compared with it' : 'Compare the others with this one'}
              >
                <Pin size={10} aria-hidden /> {own ? 'baseline' : 'as baseline'}
              </button>
            </div>
            <p className="mt-1 truncate text-xs text-muted" title={run.target}>
              {run.target ?? dash}
            </p>
            <p className="num mt-1 flex flex-wrap gap-x-3 text-2xs text-faint">
              <span title={exactTime(run.started_at)}>{formatTime(run.started_at)}</span>
              <AskedItems run={run} />
              {run.commit !== undefined && <span className="font-mono">{run.commit.slice(0, 8)}</span>}
              <span>{formatCount(run.items)} items</span>
              {run.summary?.errors !== undefined && run.summary.errors > 0 && (
                <span className="text-error">{formatCount(run.summary.errors)} without an answer</span>
              )}
              <span>{formatDuration(run.summary?.latency_ms?.p50)} p50</span>
              <span>{formatCost(run.summary?.cost)}</span>
            </p>
          </li>
        );
      })}
    </ul>
  );
}

/** Runs side by side: in sum, by segment, and item by item. */
export function ComparePage() {
  const { name } = route.useParams();
  const search = route.useSearch();
  const navigate = useNavigate();
  const ids = search.ids ?? '';
  const baseline = search.baseline ?? ids.split(',')[0] ?? '';
  const enough = ids.includes(',');
  const answer = useQuery({ ...comparisonQuery(ids, baseline), enabled: enough });
  const told = answer.data;
  const go = (next: CompareSearch): void =>
    void navigate({ to: '/experiments/$name/compare', params: { name }, search: next, replace: true });
  const strangers = told ? othersItems(told.runs) : [];
  return (
    <>
      <title>{`Compare · ${name} · Signalbox`}</title>
      <PageHeader title="Compare">
        <nav aria-label="Path" className="order-first mr-auto flex items-center gap-1 text-sm text-muted">
          <Link to="/experiments" className="hover:text-ink">
            Experiments
          </Link>
          <ChevronRight size={13} aria-hidden />
          <Link to="/experiments/$name" params={{ name }} className="max-w-64 truncate hover:text-ink">
            {name}
          </Link>
        </nav>
      </PageHeader>
      <div className="min-h-0 flex-1 space-y-4 overflow-y-auto p-5">
        {!enough && (
          <EmptyState title="Two runs at least" className="py-16">
            <p>
              Tick them on the page of{' '}
              <Link to="/experiments/$name" params={{ name }} className="text-accent hover:underline">
                {name}
              </Link>
              .
            </p>
          </EmptyState>
        )}
        {answer.isError && (
          <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
        )}
        {enough && answer.isPending && (
          <>
            <Skeleton className="h-24 rounded-lg" />
            <Skeleton className="h-72 rounded-lg" />
          </>
        )}
        {told && (
          <>
            <Runs
              told={told}
              onBaseline={(id) => go({ ...search, baseline: id, item: undefined, page: undefined })}
            />
            {strangers.length > 0 && (
              <p
                className="flex items-center gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn"
                role="note"
              >
                <TriangleAlert size={14} className="shrink-0" aria-hidden />
                The runs didn’t answer the same items: {formatCount(told.common_items)} are in all of them.
                Differences are of those that a run shares with the baseline.
              </p>
            )}
            <Sum
              told={told}
              picked={search.metric}
              onPick={(metric) => go({ ...search, metric, item: undefined, page: undefined })}
            />
            <Settings runs={told.runs} />
            <Segments
              key={told.baseline}
              told={told}
              picked={search.segment}
              onPick={(segment) => go({ ...search, segment, item: undefined, page: undefined })}
            />
            <Items told={told} ids={ids} search={search} onSearch={go} />
          </>
        )}
      </div>
    </>
  );
}
